"""No secret of a call is seen in what is shown or pickled of its failure."""

import copy
import pickle

from hypothesis import given
from hypothesis import strategies as st
from properties import strategies as some

from railhttp.model.redaction import redact_url
from railhttp.validation import check_url


@given(some.any_text)
def test_redaction_is_total_idempotent_and_printable(text: str) -> None:
    shown = redact_url(text)
    assert redact_url(shown) == shown
    assert shown.isprintable()


@given(st.data(), some.secrets)
def test_a_shown_url_has_no_secret(data: st.DataObject, secret: str) -> None:
    assert secret not in redact_url(data.draw(some.secret_urls(secret)))


@given(some.urls())
def test_a_shown_url_keeps_its_origin_and_path(url: str) -> None:
    bare = url.partition("#")[0].partition("?")[0]
    if bare.isascii() and "@" not in bare:
        assert redact_url(url).startswith(bare)


@given(st.data(), some.secrets)
def test_a_failure_shows_no_secret(data: st.DataObject, secret: str) -> None:
    failure = data.draw(some.failures(data.draw(some.secret_urls(secret)), secret))
    for error in (failure, copy.deepcopy(failure), pickle.loads(pickle.dumps(failure))):
        assert secret not in f"{error!s} {error!r} {error.args}"
        assert secret.encode() not in pickle.dumps(error)


@given(st.data(), some.secrets)
def test_a_refused_url_shows_no_secret(data: st.DataObject, secret: str) -> None:
    refused = check_url(data.draw(some.secret_urls(secret))).swap().value_or(None)
    assert secret not in f"{refused!s} {refused!r}"
    assert secret.encode() not in pickle.dumps(refused)
