"""The settings that name subaccounts and shared keys."""

from __future__ import annotations

import pytest

from shared.adapters.twilio.accounts import TwilioAccount, TwilioAccounts, shared_keys, subaccounts
from shared.domain.errors import InvalidRequest

SID = "AC" + "1" * 32


def test_nothing_is_nobody() -> None:
    assert subaccounts("") == []
    assert shared_keys("") == {}


@pytest.mark.parametrize(
    ("entry", "tokens", "keys"),
    [
        ('"tokens": "a"', ("a",), {}),
        ('"tokens": ["a"]', ("a",), {}),
        ('"tokens": ["a", "b"], "shared_keys": {"k": "s"}', ("a", "b"), {"k": "s"}),
    ],
)
def test_a_subaccount_by_each_spelling(entry: str, tokens: tuple[str, ...], keys: dict[str, str]) -> None:
    listed = subaccounts(f'{{"{SID}": {{{entry}, "tenants": "*"}}}}')
    assert listed == [TwilioAccount(SID, tokens, keys, tenants=None)]
    assert listed[0].serves("anybody")


@pytest.mark.parametrize("entry", ['"a"', '["a", "b"]', '{"tokens": "a"}', '{"tokens": "a", "tenants": null}'])
def test_a_subaccount_of_which_nobody_says_whose_it_is_is_not_everybodys(entry: str) -> None:
    with pytest.raises(InvalidRequest, match="each account names its tenants"):
        subaccounts(f'{{"{SID}": {entry}}}')


def test_an_account_of_no_tenants_serves_nobody() -> None:
    assert not TwilioAccount(SID, ("a",), tenants=frozenset()).serves("acme")


def test_a_subaccount_of_a_tenants_own() -> None:
    (account,) = subaccounts(f'{{"{SID}": {{"tokens": "a", "tenants": ["acme", "globex"]}}}}')
    assert account.tenants == {"acme", "globex"}
    assert (account.serves("acme"), account.serves("initech")) == (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "[]",
        "[" * 10_000,
        '{"AC1": "a"}',
        f'{{"{SID}": ""}}',
        f'{{"{SID}": []}}',
        f'{{"{SID}": ["a", ""]}}',
        f'{{"{SID}": 5}}',
        f'{{"{SID}": {{}}}}',
        f'{{"{SID}": {{"tokens": {{"a": 1}}}}}}',
        f'{{"{SID}": {{"tokens": "a", "shared_keys": ["k"]}}}}',
        f'{{"{SID}": {{"tokens": "a", "tenants": []}}}}',
        f'{{"{SID}": {{"tokens": "a", "tenants": "acme"}}}}',
        f'{{"{SID}": {{"tokens": "a", "tenants": [""]}}}}',
        f'{{"{SID}": {{"tokens": "a", "tenants": ["acme", "*"]}}}}',
        f'{{"{SID}": {{"tokens": "a", "shared_keys": {{"k": ""}}}}}}',
    ],
)
def test_what_is_no_list_of_subaccounts(text: str) -> None:
    with pytest.raises(InvalidRequest) as error:
        subaccounts(text)
    assert error.value.code == "settings"


@pytest.mark.parametrize("text", ["x", "[]", '{"k": ""}', '{"": "s"}', '{"k": 5}'])
def test_what_is_no_list_of_keys(text: str) -> None:
    with pytest.raises(InvalidRequest):
        shared_keys(text)


def test_secrets_are_not_shown() -> None:
    account = TwilioAccount(SID, ("hidden-token",), {"key": "hidden-secret"})
    assert "hidden" not in repr(account)
    assert [known.sid for known in TwilioAccounts(account)] == [SID]
