"""What a worker has to know of its surroundings, from the environment: `CHURN_...`, secrets also from files.

A secret is read from the variable, or from the file that `<variable>_FILE` names; it is never shown.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.given import secret
from streams.problems import UsageError

PREFIX: Final = "CHURN_"
SECRETS: Final = ("kafka_password", "kafka_token", "redis_url", "pseudonym_key")


class LiveSettings(BaseSettings):
    """Spans of time in seconds, `read_ahead` in MB (2^20 bytes). `checkpoints`: a folder, or a URL of any storage that fsspec knows."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    kafka_bootstrap: str = Field("127.0.0.1:9092", min_length=1)
    kafka_group: str = "churn"
    kafka_partitions: int = Field(8, ge=1, le=4096)
    kafka_replication: int = Field(1, ge=1, le=10)
    kafka_create_topics: bool = True
    kafka_security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_ca_file: Path | None = None
    kafka_cert_file: Path | None = None
    kafka_key_file: Path | None = None
    kafka_sasl: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = "PLAIN"
    kafka_user: str = ""
    kafka_password: SecretStr = SecretStr("")
    kafka_token: SecretStr = SecretStr("")
    kafka_session: float = Field(10.0, ge=1)
    kafka_rebalance: float = Field(30.0, ge=1)
    checkpoints: str = "checkpoints"
    checkpoint_every: float = Field(30.0, gt=0)
    checkpoint_within: float = Field(300.0, gt=0)
    align: float = Field(0.1, ge=0, le=60)
    read_ahead: int = Field(512, ge=16)
    http_host: str = "127.0.0.1"
    http_port: int = Field(8099, ge=0, le=65535)
    stop_within: float = Field(30.0, gt=0)
    share_wait: float = Field(60.0, gt=0)
    stalled_after: float = Field(120.0, gt=0)
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    feature_rows: Path | None = None
    feature_rows_keep: int | None = Field(None, ge=1)
    pseudonym_key: SecretStr = SecretStr("")

    @model_validator(mode="after")
    def _files_are_there(self) -> Self:
        for name in ("kafka_ca_file", "kafka_cert_file", "kafka_key_file"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                raise ValueError(f"{PREFIX}{name.upper()}: {path}: no such file")
        if "://" not in self.checkpoints and Path(self.checkpoints).is_file():
            raise ValueError(f"{PREFIX}CHECKPOINTS: {self.checkpoints}: is no folder")
        return self

    @field_validator("feature_rows", mode="before")
    @classmethod
    def _nowhere(cls, given: Any) -> Any:
        return given or None

    def client(self) -> dict[str, Any]:
        """What every Kafka client of the worker is opened with; consumers with `reader`."""
        given: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap,
            "security_protocol": self.kafka_security,
            "ssl_context": self.ssl_context(),
        }
        if self.kafka_security.startswith("SASL"):
            given |= {"sasl_mechanism": self.kafka_sasl}
            if self.kafka_sasl == "OAUTHBEARER":
                given |= {"sasl_oauth_token_provider": token_provider(self)}
            else:
                given |= {
                    "sasl_plain_username": self.kafka_user,
                    "sasl_plain_password": self.kafka_password.get_secret_value(),
                }
        return given

    def reader(self) -> dict[str, Any]:
        """What every consumer is opened with: what a producer took back (an aborted transaction) counts nowhere."""
        return self.client() | {"isolation_level": "read_committed"}

    def ssl_context(self) -> ssl.SSLContext | None:
        """TLS as it was asked for; None without it. Raises UsageError for a file that cannot be used."""
        if not self.kafka_security.endswith("SSL"):
            return None
        used = f"KAFKA_CA_FILE: {self.kafka_ca_file}"
        try:
            context = ssl.create_default_context(cafile=self.kafka_ca_file)
            if self.kafka_cert_file is not None:
                key = f" with KAFKA_KEY_FILE {self.kafka_key_file}" if self.kafka_key_file else ""
                used = f"KAFKA_CERT_FILE: {self.kafka_cert_file}{key}"
                context.load_cert_chain(self.kafka_cert_file, self.kafka_key_file)
        except OSError as error:  # SSLError is one
            raise UsageError(f"{PREFIX}{used}: cannot be used ({error.strerror or error})") from error
        return context


def token_provider(settings: LiveSettings) -> Any:
    """The bearer token, read anew each time one is wanted: a file is refreshed by whoever issues it."""
    from aiokafka.abc import AbstractTokenProvider  # noqa: PLC0415 - a client is only needed here

    class Provider(AbstractTokenProvider):  # type: ignore[misc, unused-ignore]
        async def token(self) -> str:
            return from_files(os.environ).get("kafka_token", settings.kafka_token.get_secret_value())

    return Provider()


def from_files(environment: Mapping[str, str]) -> dict[str, str]:
    """Secrets that files hold: `CHURN_X_FILE=path` for `CHURN_X`. Raises UsageError for a file that cannot be read."""
    found = {}
    for name in SECRETS:
        if environment.get(f"{PREFIX}{name.upper()}_FILE"):
            found[name] = secret(PREFIX + name.upper(), environment)
    return found


def live_settings(environment: Mapping[str, str] = os.environ) -> LiveSettings:
    """The settings of this process; raises UsageError with one line per fault."""
    try:
        return LiveSettings(**from_files(environment))  # type: ignore[arg-type]
    except ValidationError as error:
        lines = []
        for one in error.errors():
            name = PREFIX + "_".join(str(part) for part in one["loc"]).upper() + ": " if one["loc"] else ""
            lines.append(name + one["msg"].removeprefix("Value error, "))
        raise UsageError("\n".join(lines)) from None
