"""Disposition: what Asterisk's archive and AMI say of an attempt becomes its result."""

from dialerd.core.model import Disposition, Result, Trace

COMPLETED, EXPIRED, FAILED = "Completed", "Expired", "Failed"
"""The archive's words: answered, not answered, not readable. They say no more than that."""

PERMANENT_CAUSES = frozenset({1, 2, 3, 22, 28})
"""Q.850: unallocated number, no route to the network or to the destination, number changed, invalid
format."""

CONGESTION_CAUSES = frozenset({34, 38, 41, 42, 44, 47, 58})
"""Q.850: no circuit, network out of order, temporary failure, switching equipment congestion, requested
circuit not available, resource unavailable, bearer capability not available now."""

BUSY_CAUSE, REJECTED_CAUSE = 17, 21

SILENT_CAUSES = frozenset({None, 0, 16, 18, 19, 31, 127})
"""Q.850 causes that say nothing against "it was not answered" (0: Asterisk's for none; 127: interworking)."""

NO_CHANNEL = "CHANUNAVAIL"
ORIGINATE = "AppDial2"
"""The application that Asterisk shows on a channel of a call file before the call's action runs."""

QUICK_S = 1.0
"""An action that does not exist ends the call at once: after a longer talk its absence is not believed."""

SUSPECT = (
    "Asterisk made no channel for this call: do the technology and the endpoint of the trunk's channel exist?"
)
NO_EXTENSION = (
    "Asterisk made a channel that led nowhere: does the extension exist in the Local channel's context?"
)
NO_WAY = "The dialplan found no channel to dial: does the trunk that it dials exist, and is it registered?"
BAD_FILE = "Asterisk could not read a call file of ours: that is an error of dialerd, please report it."


def judge(
    status: str | None,
    trace: Trace | None,
    *,
    ami: bool,
    at_limit: bool = False,
    cancelled: bool = False,
    in_dialplan: bool = False,
) -> Result:
    """The result of an attempt whose call file is archived with `status`.

    `ami`: AMI watched the whole attempt, so what it did not show did not happen. `at_limit`: Asterisk
    was at or near its call limit. `cancelled`: we hung it up before an answer was seen. `in_dialplan`:
    the call's action is a context and extension, so its steps should be seen.
    """
    if status == FAILED:
        return Result(
            Disposition.FAILED,
            permanent=True,
            detail="Asterisk could not read the call file",
            warning=BAD_FILE,
        )
    if status == COMPLETED or (trace is not None and trace.answered is not None):
        return _answered(trace, ami, in_dialplan)
    if cancelled:
        return _result(Disposition.CANCELLED, trace, detail="hung up on request before an answer")
    if trace is not None and (trace.far_status or trace.dial_status):
        return _unanswered(trace)
    if not ami or (trace is not None and trace.ended is None):
        return _result(Disposition.FAILED, trace, detail="not answered; why is unknown without AMI")
    if trace is None or not trace.dialled:
        return _not_dialled(trace, at_limit)
    return _result(Disposition.NOANSWER, trace, detail="nobody answered within wait_time")


def _answered(trace: Trace | None, ami: bool, in_dialplan: bool) -> Result:
    if trace is None:
        return Result(Disposition.ANSWERED)
    whole = ami and trace.complete
    if whole and trace.far_answered is None and (trace.far_status or trace.no_way):
        return _unanswered(trace, "; the dialplan had answered before it dialled")
    failed = _action_failed(trace, whole, in_dialplan)
    detail = "answered, but the call's action did not run" if failed else ""
    return _result(Disposition.ANSWERED, trace, action_failed=failed, detail=detail)


def _action_failed(trace: Trace, whole: bool, in_dialplan: bool) -> bool:
    """Claimed only where it is shown: an AGI server that failed, or a call that did nothing and ended at
    once."""
    if trace.agi_failed:
        return True
    if not whole or trace.acted or trace.answered is None or trace.hung_up is None:
        return False
    if trace.hung_up - trace.answered > QUICK_S:
        return False
    no_step = in_dialplan and trace.steps_shown
    return no_step or trace.last_application == ORIGINATE


def _not_dialled(trace: Trace | None, at_limit: bool) -> Result:
    """Without a free call, Asterisk makes no channel, or makes a Local one and starts nothing behind it."""
    if at_limit:
        return _result(Disposition.CONGESTION, trace, detail="Asterisk's call limit was reached")
    if trace is None:
        return Result(Disposition.CHANUNAVAIL, detail="no channel could be made", warning=SUSPECT)
    return _result(Disposition.CHANUNAVAIL, trace, detail="nothing could be dialled", warning=NO_EXTENSION)


def _unanswered(trace: Trace, more: str = "") -> Result:
    """By the callee's leg where there is one, else by the near channel; by its cause, then by Dial's word."""
    status, cause = trace.far_status or trace.dial_status, _cause(trace)
    if trace.no_way:
        return _result(
            Disposition.CHANUNAVAIL, trace, detail=f"nothing could be dialled{more}", warning=NO_WAY
        )
    if cause in PERMANENT_CAUSES:
        return _result(
            Disposition.FAILED, trace, permanent=True, detail=f"the number cannot be reached{more}"
        )
    if cause == REJECTED_CAUSE:
        return _result(Disposition.FAILED, trace, detail=f"the call was rejected{more}")
    if cause == BUSY_CAUSE or status == "BUSY":
        return _result(Disposition.BUSY, trace, detail=f"busy{more}")
    if cause in CONGESTION_CAUSES or status == "CONGESTION":
        return _result(Disposition.CONGESTION, trace, detail=f"no way was free{more}")
    if status == NO_CHANNEL:
        return _result(
            Disposition.CHANUNAVAIL, trace, detail=f"nothing could be dialled{more}", warning=NO_WAY
        )
    if cause in SILENT_CAUSES:
        return _result(Disposition.NOANSWER, trace, detail=f"nobody answered{more}")
    return _result(Disposition.FAILED, trace, detail=f"the call failed{more}")


def _cause(trace: Trace) -> int | None:
    return trace.far_cause or trace.near_cause


def _result(
    disposition: Disposition,
    trace: Trace | None,
    *,
    permanent: bool = False,
    action_failed: bool = False,
    detail: str = "",
    warning: str = "",
) -> Result:
    """A result with the times and the cause that the trace shows."""
    if trace is None:
        return Result(disposition, permanent=permanent, detail=detail, warning=warning)
    answered = disposition is Disposition.ANSWERED
    picked_up = (trace.far_answered or trace.answered) if answered else None
    return Result(
        disposition,
        permanent=permanent,
        hangup_cause=trace.near_cause if answered else _cause(trace),
        ring_seconds=_ringing(trace, picked_up),
        talk_seconds=_between(picked_up, trace.hung_up),
        action_failed=action_failed,
        detail=detail,
        warning=warning,
        opt_out=trace.opt_out,
    )


def _ringing(trace: Trace, picked_up: float | None) -> float | None:
    if trace.rang is None and trace.dialled and trace.complete:
        return 0.0
    return _between(trace.rang, picked_up or trace.hung_up)


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else round(max(0.0, end - start), 3)
