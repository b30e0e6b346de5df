"""Enqueues what it is told to: a JSON command per line of stdin, answered by a line each; ends with stdin."""

import json
import sys

from celery import group

from app import noop, wait


def enqueue(how, numbers, seconds):
    def signature(i):
        return wait.s(i, seconds) if seconds > 0 else noop.s(i)

    if how == "group":
        group([signature(i) for i in numbers]).apply_async()
    else:
        # One connection for all of them: Celery keeps it in its pool of producers.
        for i in numbers:
            signature(i).apply_async()


for line in sys.stdin:
    try:
        enqueue(**json.loads(line))
        answer = {}
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
