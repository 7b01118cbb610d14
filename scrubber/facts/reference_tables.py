"""stub"""

from __future__ import annotations

from typing import Any

REFERENCE_TABLES: dict[str, Any] = {}
