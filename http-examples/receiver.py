#!/usr/bin/env python3
"""Takes callbacks and checks who sent them: python3 receiver.py 8081 whsec_... Ends at Ctrl-C; standard library only."""
import base64
import hashlib
import hmac
import http.server
import json
import sys
import time

PORT, KEY = int(sys.argv[1]), base64.b64decode(sys.argv[2].removeprefix("whsec_"))

def is_genuine(headers, body):
    """Signed with our key, and lately: an old callback that somebody sends again is refused."""
    sent = headers.get("webhook-timestamp", "0")
    text = f"{headers.get('webhook-id', '')}.{sent}.".encode() + body
    ours = "v1," + base64.b64encode(hmac.new(KEY, text, hashlib.sha256).digest()).decode()
    signatures = headers.get("webhook-signature", "").split()
    return abs(time.time() - int(sent)) < 300 and any(hmac.compare_digest(ours, one) for one in signatures)

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        genuine = is_genuine(self.headers, body)
        if genuine:  # the same webhook-id may come twice: remember it, if that would do harm
            job = json.loads(body)["data"]
            print(job["id"], job["state"], job["result"], flush=True)
        self.send_response(204 if genuine else 401)
        self.end_headers()

http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
