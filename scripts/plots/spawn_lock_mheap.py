"""Waits for the lock of mheap while goroutines are started: how many, and how long one takes."""

from .spawn_lock_mcentral import drawn


def draw(results):
    return drawn(results, "spawn-lock-mheap", "mheap", "128 KB")
