import pytest

from dialerd.core.texts import variable_name


@pytest.mark.parametrize(
    "name",
    [
        "MONITOR_EXEC", "MONITOR_EXEC_ARGS", "MONITOR_FILENAME", "MIXMONITOR_EXEC", "TOUCH_MIXMONITOR",
        "SIPADDHEADER", "SIPADDHEADER01", "PJSIP_HEADER", "FORWARD_CONTEXT", "TRANSFER_CONTEXT",
        "GOTO_ON_BLINDXFR", "BLINDTRANSFER", "DYNAMIC_FEATURES", "DYNAMIC_FEATURENAME", "EXITCONTEXT",
        "CONNECTED_LINE_SEND_SUB", "REDIRECTING_SEND_SUB_ARGS", "MACRO_RESULT", "GOSUB_RESULT", "LOCAL_X",
        "OUTBOUND_GROUP", "OUTBOUND_GROUP_ONCE", "LIMIT_WARNING_FILE", "PARKINGDYNCONTEXT",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "written",
    ["{}", "_{}", "__{}", "GLOBAL({})", "LOCAL(__{})", "master_channel({})"],
)
def test_names_that_asterisk_obeys_are_refused_however_they_are_written(name: str, written: str) -> None:
    for each in (name, name.lower()):
        with pytest.raises(ValueError, match=r"steer Asterisk itself \(.*\): choose another\.$"):
            variable_name(written.format(each))


@pytest.mark.parametrize("name", ["DIALERD_JOB", "__dialerd_job", "GLOBAL(DIALERD_JOB)"])
def test_our_own_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="dialerd's own"):
        variable_name(name)


@pytest.mark.parametrize(
    "name",
    ["greeting", "__greeting", "MONITOR", "MY_MONITOR_EXEC", "PARK", "AGIEXITONHANGUP", "CDR(userfield)",
     "HASH(LIMIT_x)", "PJSIP_HEADER(add,X-Job)", "GLOBAL(greeting)"],
)  # fmt: skip
def test_other_names_pass(name: str) -> None:
    assert variable_name(name) == name
