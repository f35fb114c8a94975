"""The sections about trying again: [retry.NAME]. docs/retry.md is the user's view."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from dialerd.config.fields import Duration, Section, bounds
from dialerd.core.retry import KILL_AFTER_S, MOST_DIALS, Kind, RetryPolicy, Rule
from dialerd.core.times import format_duration

DAY_S = 86400
DEFAULTS = RetryPolicy("")


def _number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("Give a number without quotes, such as 1.5.")
    return float(value)


_Growth = Annotated[float, BeforeValidator(_number), Field(ge=1, le=10)]
_Jitter = Annotated[float, BeforeValidator(_number), Field(ge=0, le=0.5)]
_Count = Annotated[int, Field(ge=0, le=100)]
_Delay = Annotated[Duration, bounds(1, 7 * DAY_S)]


class RuleSettings(Section):
    """What is done after one kind of end. `delay` and `longest` are in seconds. What is left out is as in
    DEFAULTS, where each kind has its own."""

    delay: _Delay | None = None
    growth: _Growth | None = None
    jitter: _Jitter | None = None
    count: _Count | None = None
    longest: _Delay | None = None

    def rule(self, otherwise: Rule) -> Rule:
        """The rule, in core's words. The default of `longest` gives way to a longer delay."""
        delay = otherwise.delay_s if self.delay is None else self.delay
        return Rule(
            delay,
            otherwise.growth if self.growth is None else self.growth,
            otherwise.jitter if self.jitter is None else self.jitter,
            otherwise.count if self.count is None else self.count,
            max(otherwise.longest_s, delay) if self.longest is None else self.longest,
        )


class RetrySettings(Section):
    """One named retry policy. `kill_after` is in seconds."""

    busy: RuleSettings = RuleSettings()
    noanswer: RuleSettings = RuleSettings()
    congestion: RuleSettings = RuleSettings()
    failed: RuleSettings = RuleSettings()
    max_dials: Annotated[int, Field(ge=1, le=1000, validate_default=True)] = MOST_DIALS
    kill_after: Annotated[Duration, bounds(1, 365 * DAY_S)] = KILL_AFTER_S
    on_doubt: Literal["hold", "retry", "drop"] = "hold"

    @field_validator(*Kind)
    @classmethod
    def _longest_is_no_shorter(cls, settings: RuleSettings, info: ValidationInfo) -> RuleSettings:
        rule = settings.rule(DEFAULTS.rule(Kind(info.field_name or "")))
        if rule.longest_s < rule.delay_s:
            raise ValueError(
                f"The longest delay, {format_duration(rule.longest_s)}, is shorter than the first,"
                f" {format_duration(rule.delay_s)}: change one of them."
            )
        return settings

    @field_validator("max_dials")
    @classmethod
    def _reached_by_the_counts(cls, dials: int, info: ValidationInfo) -> int:
        over = [
            f"{name}.count = {rule.count}"
            for name, rule in _right(info)
            if rule.count is not None and rule.count >= dials
        ]
        if over:
            raise ValueError(
                f"{dials} dials in all, the first one too, are fewer than {' and '.join(over)} retries need:"
                " raise max_dials, or lower the count."
            )
        return dials

    @field_validator("kill_after")
    @classmethod
    def _after_the_first_retry(cls, kill_after: int, info: ValidationInfo) -> int:
        rules = [settings.rule(DEFAULTS.rule(Kind(name))) for name, settings in _right(info)]
        delays = [rule.delay_s for rule in rules if rule.count]
        if delays and kill_after < min(delays):
            raise ValueError(
                f"No call would ever be tried again: the shortest delay is {format_duration(min(delays))}."
                " Raise kill_after, or set every count to 0."
            )
        return kill_after

    def policy(self, name: str) -> RetryPolicy:
        """The policy, in core's words."""
        return RetryPolicy(
            name,
            busy=self.busy.rule(DEFAULTS.busy),
            noanswer=self.noanswer.rule(DEFAULTS.noanswer),
            congestion=self.congestion.rule(DEFAULTS.congestion),
            failed=self.failed.rule(DEFAULTS.failed),
            max_dials=self.max_dials,
            kill_after_s=self.kill_after,
            on_doubt=self.on_doubt,
        )


def _right(info: ValidationInfo) -> list[tuple[str, RuleSettings]]:
    """Those rules that are right in themselves: what is wrong with the others is said already."""
    return [(kind.value, info.data[kind.value]) for kind in Kind if kind.value in info.data]


def names(place: tuple[Any, ...]) -> tuple[str, ...]:
    """The names that may stand at a place in [retry.NAME], which is ("retry", NAME, ...)."""
    return tuple((RetrySettings if len(place) < 3 else RuleSettings).model_fields)
