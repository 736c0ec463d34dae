"""Settings from the environment: `CHURN_RECHECK=12h`, `CHURN_DEADLINES__CRITICAL__HIGH__ACK=10m`, by one scheme.

The name is `CHURN_` and the path of keys joined by double underscores, in capitals and with `_` for `-`; the value is read
as YAML, so `[watch, warning]` is a list. A name that is no setting is only a warning: orchestrators put variables of their
own (`CHURN_WORKER_SERVICE_HOST`) beside ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import inspect

from rules.faults import Fault
from rules.hints import did_you_mean
from rules.settings import Settings
from rules.shapes import read_as
from rules.yaml_source import parse

PREFIX = "CHURN_"
ELSEWHERE = frozenset(
    (
        "CONFIG",
        *("REDIS_URL", "REDIS_URL_FILE"),
        *("CHECKPOINTS", "CHECKPOINT_EVERY", "ALIGN", "SHARE_WAIT", "STOP_WITHIN", "STALLED_AFTER"),
        *("HTTP_PORT", "HTTP_HOST"),
        *("KAFKA_BOOTSTRAP", "KAFKA_GROUP", "KAFKA_PARTITIONS", "KAFKA_REPLICATION", "KAFKA_CREATE_TOPICS"),
        *("KAFKA_SECURITY", "KAFKA_CA_FILE", "KAFKA_CERT_FILE", "KAFKA_KEY_FILE", "KAFKA_SASL", "KAFKA_USER"),
        *("KAFKA_PASSWORD", "KAFKA_PASSWORD_FILE", "KAFKA_TOKEN", "KAFKA_TOKEN_FILE"),
        *("KAFKA_SESSION", "KAFKA_REBALANCE"),
        "PSEUDONYM_KEY",
    )
)
"""Names that are no keys of churn.yaml: read by the commands that need them."""


class _NoSuchSettingError(Exception):
    """The name leads nowhere; holds what it may have meant, in full."""


def overridden(settings: Settings, environment: Mapping[str, str]) -> tuple[Settings, list[Fault]]:
    """The settings with the environment's values in place, and every fault in those."""
    faults: list[Fault] = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name.removeprefix(PREFIX) in ELSEWHERE:
            continue
        try:
            settings = _replaced(
                settings, inspect.type_info(Settings), name, name.removeprefix(PREFIX), environment[name], faults
            )
        except _NoSuchSettingError as missing:
            message = f"`{name}` is no setting{missing}"
            faults.append(Fault(f"environment {name}", 1, 1, message, "unknown-key", "warning"))
        except ValueError as error:
            faults.append(Fault(f"environment {name}", 1, 1, str(error), "invalid"))
    return settings, faults


def _replaced(value: Any, typed: inspect.Type, name: str, path: str, text: str, faults: list[Fault]) -> Any:
    if isinstance(typed, inspect.Metadata):
        typed = typed.type
    if isinstance(typed, inspect.UnionType):
        typed = next(option for option in typed.types if not isinstance(option, inspect.NoneType))
    if not path:
        document, found = parse(f"environment {name}", text.encode())
        replacement, more = read_as(document, typed)
        faults += [*found, *more]
        return value if found or more else replacement
    step, _, rest = path.partition("__")
    before = name.removesuffix(path)
    if isinstance(typed, inspect.StructType):
        fields = {_shouted(one.encode_name): one for one in typed.fields}
        if value is None or step not in fields:
            raise _NoSuchSettingError(did_you_mean(before + step, [before + known for known in fields]))
        one = fields[step]
        inner = _replaced(getattr(value, one.name), one.type, name, rest, text, faults)
        return msgspec.structs.replace(value, **{one.name: inner})
    if isinstance(typed, inspect.DictType):
        key = {_shouted(known): known for known in value}.get(step, step.lower())
        if rest and key not in value:
            raise _NoSuchSettingError(did_you_mean(before + step, [before + _shouted(known) for known in value]))
        return {**value, key: _replaced(value.get(key), typed.value_type, name, rest, text, faults)}
    raise _NoSuchSettingError("")


def _shouted(key: str) -> str:
    return key.upper().replace("-", "_")
