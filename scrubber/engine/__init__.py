"""Matches facts against the conditions of rules, without prices, texts or look-ups other than code lists."""

from __future__ import annotations

from scrubber.engine.durable import DurableEngine
from scrubber.engine.plain import PlainEngine
from scrubber.engine.program import CodeListLookup, Engine, EngineFact, EngineTest

__all__ = ["CodeListLookup", "DurableEngine", "Engine", "EngineFact", "EngineTest", "PlainEngine"]
