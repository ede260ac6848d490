#!/usr/bin/env python3
"""A worker for the jobs of type "resize": python3 worker.py http://localhost:8080 images. Ends at Ctrl-C; standard library only."""
import json
import os
import sys
import threading
import urllib.error
import urllib.request

BASE, QUEUE = sys.argv[1], sys.argv[2]
NAME = f"python-{os.getpid()}"
LEASE = 30  # seconds


def post(path, body, wait=0):
    headers = {"Content-Type": "application/json"} | ({"Prefer": f"wait={wait}"} if wait else {})
    request = urllib.request.Request(BASE + path, json.dumps(body).encode(), headers)
    # Longer than the service waits, or it would claim jobs for nobody.
    with urllib.request.urlopen(request, timeout=wait + 10) as answer:
        return json.load(answer)


def keep(job, token, stop, over):
    """Sends heartbeats until the job is over, and says when to stop working on it."""
    while not over.wait(LEASE / 3):
        try:
            if post(f"/v1/jobs/{job['id']}/heartbeat", {"token": token})["cancelRequested"]:
                stop.set()
        except urllib.error.HTTPError as refused:
            if refused.code == 409:  # lease-lost: another worker has it
                stop.set()
        except OSError:
            pass  # the next one may get through


def resize(payload, stop):
    """The work itself; looks at "stop" every now and then."""
    return {"resized": payload["image"]}


def run(job):
    token, stop, over = job["lease"]["token"], threading.Event(), threading.Event()
    threading.Thread(target=keep, args=(job, token, stop, over), daemon=True).start()
    try:
        verb, word = "complete", {"token": token, "result": resize(job["payload"], stop)}
    except Exception as failure:
        verb, word = "fail", {"token": token, "error": {"message": repr(failure)}}
    over.set()
    post(f"/v1/jobs/{job['id']}/{verb}", word)


while True:
    try:
        claim = {"worker": NAME, "lease": f"PT{LEASE}S", "types": ["resize"]}
        for claimed in post(f"/v1/queues/{QUEUE}/claims", claim, wait=30)["jobs"]:
            run(claimed)
    except OSError as away:  # refused, or no answer; the same word may be sent again
        print(away, file=sys.stderr)
        threading.Event().wait(2)
