"""The address of a database as providers hand it out: what has an effect, what is left out, what is refused."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from settings.addresses.postgres_url import EXPECTED, parse

PLAIN = "postgresql://me:secret@db.example:6000/shop"


def test_a_plain_address() -> None:
    url = parse(PLAIN)
    assert url.arguments() == {"dsn": PLAIN, "server_settings": {}}
    assert (url.hosts, url.database, url.user, url.password) == ((("db.example", 6000),), "shop", "me", "secret")
    assert url.told == ()
    assert "secret" not in repr(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "POSTGRES"])
def test_every_spelling_of_the_scheme(scheme: str) -> None:
    assert parse(PLAIN.replace("postgresql", scheme, 1)).dsn == PLAIN


@pytest.mark.parametrize("part", ["a@b", "a:b", "a/b", "a%b", "a#b", "a?b", "a&b", "a+b", "a b", "ä", "a=b"])
def test_every_sign_in_every_part(part: str) -> None:
    """Read, written for the driver, and read again: as the driver itself understands it."""
    one = quote(part, safe="")
    url = parse(f"postgresql://{one}:{one}@h/{one}?options={one}&application_name={one}")
    assert (url.user, url.password, url.database) == (part, part, part)
    assert url.session["options"] == url.application_name == part
    again = parse(url.dsn)
    assert (again.user, again.password, again.database) == (part, part, part)


def test_a_password_with_an_unquoted_at_sign() -> None:
    url = parse("postgresql://u:sec@ret@127.0.0.1:5432/d")
    assert (url.user, url.password, url.hosts) == ("u", "sec@ret", (("127.0.0.1", 5432),))
    assert url.dsn == "postgresql://u:sec%40ret@127.0.0.1:5432/d"


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://u@h1,h2/d", (("h1", 5432), ("h2", 5432))),
        ("postgresql://u@h1:1,h2:2/d", (("h1", 1), ("h2", 2))),
        ("postgresql://u@h1,h2/d?port=7", (("h1", 7), ("h2", 7))),
        ("postgresql://u@[::1]:5433,[fe80::1]/d", (("::1", 5433), ("fe80::1", 5432))),
        ("postgresql://u@/d?host=h1,h2&port=1,2", (("h1", 1), ("h2", 2))),
        ("postgresql:///d?host=/var/run/postgresql", (("/var/run/postgresql", 5432),)),
        ("postgresql:///d?host=%2Ftmp&port=5433", (("/tmp", 5433),)),
        ("postgresql://%2Ftmp:5433/d", (("/tmp", 5433),)),
        ("postgresql:///d", ()),
        ("postgresql://h?dbname=d", (("h", 5432),)),
    ],
)
def test_hosts(url: str, hosts: tuple[tuple[str, int], ...]) -> None:
    assert parse(url).hosts == hosts
    assert parse(parse(url).dsn).hosts == hosts


def test_what_the_driver_can_do_is_passed_on() -> None:
    url = parse(f"{PLAIN}?sslmode=require&target_session_attrs=read-write&sslrootcert=/ca.pem&connect_timeout=7")
    assert url.dsn == f"{PLAIN}?sslmode=require&target_session_attrs=read-write&sslrootcert=%2Fca.pem"
    assert url.arguments()["timeout"] == 7.0
    assert url.told == ()


def test_settings_of_the_session_and_its_name_are_sent() -> None:
    url = parse(f"{PLAIN}?options=endpoint%3Dep-cool-1&application_name=mine&statement_timeout=1234")
    assert url.arguments()["server_settings"] == {
        "options": "endpoint=ep-cool-1",
        "statement_timeout": "1234",
        "application_name": "mine",
    }
    assert parse(f"{PLAIN}?options=-csearch_path%3Da+b").session == {"options": "-csearch_path=a+b"}


def test_the_roots_of_the_system_mean_that_the_server_is_made_sure_of() -> None:
    arguments = parse(f"{PLAIN}?sslrootcert=system").arguments()
    assert arguments["ssl"].check_hostname
    assert "sslrootcert" not in arguments["dsn"]


@pytest.mark.parametrize(
    "parameter",
    [
        "channel_binding=require",
        "keepalives=1",
        "keepalives_idle=30",
        "keepalives_interval=5",
        "keepalives_count=3",
        "tcp_user_timeout=1000",
        "gssencmode=disable",
        "sslcompression=0",
        "sslsni=1",
        "fallback_application_name=x",
        "client_encoding=utf8",
        "connection_limit=1",
        "pool_timeout=0",
    ],
)
def test_what_has_no_effect_is_left_out_with_a_word(parameter: str) -> None:
    url = parse(f"{PLAIN}?sslmode=require&{parameter}")
    name = parameter.partition("=")[0]
    (word,) = url.told
    assert word.startswith(f"{name} is left out: ")
    assert url.arguments() == parse(f"{PLAIN}?sslmode=require").arguments()


@pytest.mark.parametrize("value", ["true", "1", "TRUE"])
def test_a_transaction_pooler_may_be_declared(value: str) -> None:
    assert parse(f"{PLAIN}?pgbouncer={value}").transaction_pooler
    assert not parse(f"{PLAIN}?pgbouncer=false").transaction_pooler


def test_parameters_without_a_value_are_as_if_unset() -> None:
    assert parse(f"{PLAIN}?sslmode=&connect_timeout=&channel_binding=&application_name=") == parse(PLAIN)


def test_the_hosts_take_turns_where_asked() -> None:
    url = parse("postgresql://u@a,b,c/d?load_balance_hosts=random")
    assert len({url.dsn for _ in range(200)}) > 1


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("todos", EXPECTED),
        ("mysql://u:s3cret@h/d", EXPECTED),
        ("postgresql://u:s3cret@h", EXPECTED),
        ("postgresql://u:s3cret@h:port/d", EXPECTED),
        ("postgresql://u:s3cret@h:99999/d", "a port from 1 to 65535"),
        ("postgresql://u:s3cret@h1,h2/d?port=1,2,3", "as many ports as hosts"),
        ("postgresql://u:s3cret@h/d?no_such=1", "no parameter 'no_such'"),
        ("postgresql://u:s3cret@h/d?sslmode", "'sslmode' has no value"),
        ("postgresql://u:s3cret@h/d?sslmode=perhaps", "as sslmode one of disable, allow"),
        ("postgresql://u:s3cret@h/d?connect_timeout=soon", "as connect_timeout whole seconds"),
        ("postgresql://u:s3cret@h/d?gssencmode=require", "not gssencmode=require"),
        ("postgresql://u:s3cret@h/d?sslrootcert=system&sslmode=require", "sslmode=verify-full"),
        ("postgresql://u:s3cret@h/d?require_auth=scram-sha-256", "no parameter 'require_auth'"),
        ("postgresql://u:12/s3cret@h/d", "percent-encoded"),
        ("postgresql://u:a@s3cret/b@h/d", "percent-encoded"),
        ("postgresql://u:12?s3cret@h/d", "percent-encoded"),
        ("postgresql://u:12?s3cret=1@h/d", "percent-encoded"),
    ],
)
def test_what_can_not_be_used_is_refused_by_name(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^expected postgresql://") as refused:
        parse(url)
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)
