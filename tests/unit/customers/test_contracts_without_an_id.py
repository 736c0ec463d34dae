"""Contracts without an id are told apart by kind and plan."""


def test_several_at_once_are_kept(fact, state):
    signed = [
        fact(3, "contract.signed", kind="plan", plan="gold", ends_at="2025-01-01T00:00:00Z"),
        fact(2, "contract.signed", kind="device", ends_at="2024-08-01T00:00:00Z"),
        fact(1, "contract.signed", kind="plan", plan="gold", ends_at="2024-09-01T00:00:00Z"),
    ]
    after = state(signed)
    assert after["contracts_running"] == 2
    assert after["days_since_contract_end"] == -91.5


def test_an_end_without_an_id_ends_all(fact, state):
    signed = [fact(3, "contract.signed", kind="plan"), fact(2, "contract.signed", contract_id="k")]
    assert state([*signed, fact(1, "contract.ended")])["contracts_running"] == 0
    assert state([fact(1, "contract.ended"), *signed])["contracts_running"] == 0
    assert state([fact(2.5, "contract.ended"), *signed])["contracts_running"] == 1


def test_a_contract_that_ended_before_its_signing_came_is_over(fact, state):
    after = state([fact(1, "contract.ended", contract_id="k"), fact(2, "contract.signed", contract_id="k")])
    assert after["contracts_running"] == 0
