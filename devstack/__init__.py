"""
The whole system on one machine, on real parts: a MongoDB replica set, an emulated AWS, the forwarder's zip and the tailer.

The demo, the tests and the benchmarks all start it from here. Everything listens on 127.0.0.1 only, lives in one temporary
folder, and is gone at exit.
"""

from devstack.stack import DevStack

__all__ = ["DevStack"]
