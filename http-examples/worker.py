#!/usr/bin/env python3
"""A worker for the jobs of type "resize": python3 worker.py http://localhost:8080 images. Ends at Ctrl-C; standard library only."""
import http.client
import json
import os
import sys
import threading
import urllib.request

BASE, QUEUE, LEASE = sys.argv[1], sys.argv[2], 30  # seconds
FAILURES = (OSError, http.client.HTTPException, ValueError)  # refused, or no answer that can be read

def post(path, body, wait=0):
    headers = {"Content-Type": "application/json"} | ({"Prefer": f"wait={wait}"} if wait else {})
    request = urllib.request.Request(BASE + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=wait + 10) as answer:  # longer than the service waits
        return json.load(answer)

def tell(job, verb, word={}, pauses=(1, 2, 4, 8, 0)):
    """The same word may be sent again, until there is an answer that stands; 409 says that another worker has the job."""
    for pause in pauses:
        try:
            return post(f"/v1/jobs/{job['id']}/{verb}", {"token": job["lease"]["token"]} | word)
        except FAILURES as failure:
            print(job["id"], failure, file=sys.stderr)
            if 400 <= getattr(failure, "code", 0) < 500:
                return {"cancelRequested": True}
        threading.Event().wait(pause)

def keep(job, stop, over):
    """Sends heartbeats until the job is over, and says when to stop working on it."""
    while not over.wait(LEASE / 3):
        if (tell(job, "heartbeat", pauses=(0,)) or {}).get("cancelRequested"):
            stop.set()

def resize(payload, stop):
    """The work itself; looks at "stop" every now and then."""
    return {"resized": payload["image"]}

def run(job):
    stop, over = threading.Event(), threading.Event()
    threading.Thread(target=keep, args=(job, stop, over), daemon=True).start()
    try:
        tell(job, "complete", {"result": resize(job["payload"], stop)})
    except KeyboardInterrupt:
        tell(job, "release")
        raise
    except Exception as failure:
        tell(job, "fail", {"error": {"message": repr(failure)}})
    over.set()

while True:
    try:
        claim = {"worker": f"python-{os.getpid()}", "lease": f"PT{LEASE}S", "types": ["resize"]}
        for claimed in post(f"/v1/queues/{QUEUE}/claims", claim, wait=30)["jobs"]:
            run(claimed)
    except FAILURES as away:
        print(away, file=sys.stderr)
        threading.Event().wait(2)
