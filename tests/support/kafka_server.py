"""A real Apache Kafka (one node, KRaft) of the tests' own on loopback, from its jars; or the one KAFKA_BOOTSTRAP names."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

from support.programs import needs
from support.redis_server import free_port

RECIPE = Path(__file__).parent / "kafka"
MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={module} required user_churn="right";
log.retention.ms=-1
controller.listener.names=CONTROLLER
log.dirs={folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
num.partitions=4
"""
ARRIVAL = "log.message.timestamp.type=LogAppendTime\n"


def needs_kafka() -> None:
    if not os.environ.get("KAFKA_BOOTSTRAP"):
        needs("java", "openjdk-17-jre-headless")
        needs("mvn", "maven")


def jars() -> Path:
    """The broker's jars, fetched once for this user."""
    folder = Path.home() / ".cache" / "churn-early-warning" / "kafka-4.1.0"
    if not (folder / "whole").exists():
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
        subprocess.run(["mvn", "-q", "-B", "-f", RECIPE / "pom.xml", *goal], check=True, timeout=600)
        (folder / "whole").touch()
    return folder


class KafkaServer:
    """Started by `with`; `kill` is a crash, after which `start` goes on from what is on disk."""

    def __init__(self, folder: Path, *, stamps_arrival: bool = False) -> None:
        """`stamps_arrival`: a record's timestamp is the broker's, not the producer's."""
        self.more = ARRIVAL if stamps_arrival else ""
        self.folder, self.port, self.controller, self.sasl = folder, free_port(), free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.classes = f"{jars()}/*"

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def with_password(self) -> str:
        """Where user `churn` has to give the password `right`."""
        return f"127.0.0.1:{self.sasl}"

    def start(self) -> None:
        properties = self.folder / "server.properties"
        if not properties.exists():
            ports = {"port": self.port, "controller": self.controller, "sasl": self.sasl}
            properties.write_text(PROPERTIES.format(**ports, folder=self.folder, module=MODULE) + self.more)
            tool = ["java", "-cp", self.classes, "kafka.tools.StorageTool"]
            made = subprocess.run([*tool, "random-uuid"], capture_output=True, check=True, text=True)
            name = made.stdout.split()[-1]
            subprocess.run([*tool, "format", "-t", name, "-c", properties], check=True, capture_output=True)
        options = ["-Xmx768m", f"-Dlog4j2.configurationFile={RECIPE / 'log4j2.xml'}", "-cp", self.classes]
        with (self.folder / "kafka.log").open("ab") as log:
            self.process = subprocess.Popen(["java", *options, "kafka.Kafka", properties], stdout=log, stderr=log)
        self._wait()

    def _wait(self) -> None:
        begun = time.monotonic()
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self.process.poll() is not None or time.monotonic() - begun > 120:
                raise RuntimeError(f"Kafka did not start: {(self.folder / 'kafka.log').read_text()[-2000:]}")
            self.process.poll()
            time.sleep(0.1)  # until the port answers

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
