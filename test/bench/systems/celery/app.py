"""The tasks that Celery runs in the bench. Its worker loads this file, and so does `producer.py`."""

import os
import signal
import struct
import sys
import threading
import time

from celery import Celery
from celery.signals import worker_init

# The descriptor on which the bench hears of each run.
RUNS = 3

app = Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.update(task_default_queue=os.environ["BENCH_QUEUE"], task_ignore_result=True)


@app.task(name="noop")
def noop(i):
    os.write(RUNS, struct.pack("<I", i))


@app.task(name="wait")
def wait(i, seconds):
    time.sleep(seconds)
    os.write(RUNS, struct.pack("<I", i))


@worker_init.connect
def end_with_the_bench(**_):
    """The bench holds the other end of stdin: when it is gone, however it ended, no process of the pool may stay."""

    def watch():
        sys.stdin.buffer.raw.read(1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
