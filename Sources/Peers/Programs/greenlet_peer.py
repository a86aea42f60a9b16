"""Python's greenlets as a baseline: reads a line "operation count" and answers with nanoseconds and how often it was done."""
import platform
import sys
import time

import greenlet


def round_trips(count):
    """The main greenlet switches to another, which switches back."""
    main = greenlet.getcurrent()
    done = 0

    def echo():
        nonlocal done
        while done < count:
            done += 1
            main.switch()

    other = greenlet.greenlet(echo)
    began = time.perf_counter_ns()
    for _ in range(count):
        other.switch()
    took = time.perf_counter_ns() - began
    other.switch()
    return took, done


def spawn(count):
    """A greenlet is made and runs to its end."""
    done = 0

    def add():
        nonlocal done
        done += 1

    began = time.perf_counter_ns()
    for _ in range(count):
        greenlet.greenlet(add).switch()
    return time.perf_counter_ns() - began, done


OPERATIONS = {"round-trip": round_trips, "spawn": spawn}

for line in sys.stdin:
    words = line.split()
    if words == ["version"]:
        answer = f"greenlet {greenlet.__version__}, Python {platform.python_version()}"
    elif len(words) == 2 and words[0] in OPERATIONS and words[1].isdecimal():
        answer = "%d %d" % OPERATIONS[words[0]](int(words[1]))
    else:
        answer = "error: a request is: version, or an operation of this program and a count"
    print(answer, flush=True)
