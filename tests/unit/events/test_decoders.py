"""Threads that decode types that nobody decoded before."""

import subprocess
import sys

STORY = """
import sys, threading
import msgspec
from events.decoders import prepare
sys.setswitchinterval(1e-6)
for _ in range(30):
    inner = msgspec.defstruct("Inner", [(f"f{i}", list[int] | None, None) for i in range(40)])
    outer = msgspec.defstruct("Outer", [(f"g{i}", inner | None, None) for i in range(30)])
    data = msgspec.json.encode({f"g{i}": {"f3": [1]} for i in range(30)})
    prepare()
    together = threading.Barrier(6)
    def decode():
        together.wait()
        msgspec.json.decode(data, type=outer)
    threads = [threading.Thread(target=decode) for _ in range(6)]
    for one in threads: one.start()
    for one in threads: one.join()
print("survived")
"""


def test_types_are_prepared_before_threads_decode_them() -> None:
    done = subprocess.run([sys.executable, "-c", STORY], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "survived"), done.stderr
