"""The secret behind the pseudonyms of daily feature rows."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from typing import Final

from streams.given import secret
from streams.problems import UsageError

KEY: Final = "CHURN_PSEUDONYM_KEY"


def digest_of(key: str) -> bytes:
    """The key of the hash, from a secret of any length."""
    return hashlib.blake2b(key.encode(), digest_size=32).digest()


def pseudonym_key(*, resumed: bool, environment: Mapping[str, str] = os.environ) -> bytes:
    """CHURN_PSEUDONYM_KEY (or _FILE), else a random one that nobody keeps, so that rows of two runs are of strangers.

    Raises UsageError where a run that may be resumed is given none.
    """
    given = secret(KEY, environment)
    if not given and resumed:
        raise UsageError(f"--feature-rows with --state: set {KEY}, so that a resumed run names customers alike")
    return digest_of(given) if given else secrets.token_bytes(32)
