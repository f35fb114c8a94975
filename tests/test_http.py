from dialerd.http import resolve


def test_a_name_is_resolved_to_each_of_its_addresses_once() -> None:
    found = resolve("localhost", 80)

    assert "127.0.0.1" in found
    assert len(found) == len(set(found))
