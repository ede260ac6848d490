// What makes the files beside this one run as a test in httpyac, while they stay readable by the clients of IntelliJ and
// VS Code, which take both for comments or know them already:
//   # @expect <expression>          must hold for the answer: over status, headers, body
//   {{name.response.body.$.id}}     VS Code's way to refer to an earlier answer
module.exports = {
  configureHooks(api) {
    api.hooks.onResponse.addHook('expect', (response, context) => {
      const body = response.parsedBody ?? response.body;
      if (body !== null && typeof body === 'object') {
        const referred = Object.defineProperty({ ...body }, '$', { value: body });
        Object.defineProperty(body, 'response', { value: { body: referred, headers: response.headers } });
      }
      const expectation = context.httpRegion.metaData.expect;
      if (!expectation) {
        return;
      }
      let holds = false;
      let problem = '';
      try {
        holds = new Function('status', 'headers', 'body', `return (${expectation});`)(
          response.statusCode, response.headers, body);
      } catch (error) {
        problem = String(error);
      }
      (context.httpRegion.testResults ??= []).push({
        status: holds ? 'SUCCESS' : 'FAILED',
        message: holds ? expectation : `${expectation}: ${problem} got ${response.statusCode} ${response.body}`,
      });
    });
  },
};
