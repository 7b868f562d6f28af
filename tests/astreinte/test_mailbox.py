"""A mailbox read from a file: what comes out of tidy, untidy and hostile ones."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from astreinte.mailbox import Broken, UnreadableFile, read
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel

NOW = datetime(2025, 2, 1, 8, 30, tzinfo=UTC)
SEEDS = Path(__file__).parents[3] / "shared/data/seeds"


def items(path: Path, channel: Channel = Channel.CHAT) -> list[InboundMessage | Broken]:
    return list(read(path, default_channel=channel, now=NOW))


def from_file(folder: Path, name: str, content: bytes | str) -> list[InboundMessage | Broken]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return items(path)


def of_record(folder: Path, **fields: object) -> InboundMessage | Broken:
    [item] = from_file(folder, "one.json", json.dumps([fields]))
    return item


def message(item: InboundMessage | Broken) -> InboundMessage:
    assert isinstance(item, InboundMessage), item
    return item


def reason(item: InboundMessage | Broken) -> str:
    assert isinstance(item, Broken), "it was read"
    return item.reason


def ids(read_items: list[InboundMessage | Broken]) -> list[str]:
    return [message(item).external_id for item in read_items]


def test_a_list_of_objects_and_bare_texts_is_read(tmp_path: Path) -> None:
    first, second = from_file(tmp_path, "a.json", '[{"id": 7, "question": "Papier ?"}, "Allô"]')
    assert (message(first).external_id, message(first).text) == ("7", "Papier ?")
    assert (message(second).external_id, message(second).text) == ("row/2", "Allô")
    assert message(second).customer_ref == "record:row/2"


def test_ids_that_repeat_across_the_lists_of_an_object_stay_apart(tmp_path: Path) -> None:
    same = [{"id": 0, "query": "a"}, {"id": 1, "query": "b"}]
    data = {"note": "x", "dev": same, "oos": ["c", "d"], "more": {"en": same}, "counts": [1, 2]}
    found = ids(from_file(tmp_path, "a.json", json.dumps(data)))
    assert found == ["dev/0", "dev/1", "oos/1", "oos/2", "more/en/0", "more/en/1"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"n": 1, "mails": [{"id": "A", "text": "a"}]}', ["A"]),
        ('{"id": 5, "text": "a"}', ["5"]),
        ('{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}', ["1", "2"]),
    ],
    ids=["a single list", "a single record", "JSON Lines under the name of JSON"],
)
def test_one_list_keeps_the_ids_as_given(tmp_path: Path, data: str, expected: list[str]) -> None:
    assert ids(from_file(tmp_path, "a.json", data)) == expected


def test_repeated_ids_in_one_list_get_a_suffix_even_if_it_is_taken(tmp_path: Path) -> None:
    given = ["a", "a#2", "a", "a", "b"]
    data = [{"id": one, "text": "x"} for one in given]
    found = ids(from_file(tmp_path, "a.json", json.dumps(data)))
    assert found == ["a", "a#2", "a#2#2", "a#3", "b"]


def test_columns_are_known_whatever_their_case_accents_and_separators(tmp_path: Path) -> None:
    table = (
        "\ufeffNuméro;OBJET;Contenu;Canal;E-mail;Numero Telephone;Client-ID;Date\r\n"
        "12.0;Panne;Le bac;Téléphone;a@b.fr;06 12 34 56 78;C9;15/01/2025 10:20\r\n"
        '13;;"deux\r\nlignes; ""oui""";Mél;a@b.fr;06 12 34 56 78;;2025-01-15T10:20+02:00\r\n'
    )
    call, mail = map(message, from_file(tmp_path, "a.csv", table))
    assert (call.external_id, call.channel, call.sender) == ("12.0", Channel.CALL, "06 12 34 56 78")
    assert (call.subject, call.text, call.customer_ref) == ("Panne", "Le bac", "C9")
    assert call.received_at == datetime(2025, 1, 15, 10, 20, tzinfo=UTC)
    assert (mail.channel, mail.sender, mail.customer_ref) == (Channel.EMAIL, "a@b.fr", None)
    assert mail.text == 'deux\r\nlignes; "oui"'
    assert mail.received_at == datetime(2025, 1, 15, 8, 20, tzinfo=UTC)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_tables_are_read_in_every_common_encoding(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    table = f"id{separator}texte\n1{separator}œuf à 5 €\n"
    [item] = from_file(tmp_path, "a.tsv", table.encode(encoding))
    assert message(item).text == "œuf à 5 €"


def test_commas_in_sentences_are_no_columns(tmp_path: Path) -> None:
    [item] = from_file(tmp_path, "b.csv", "id;texte\n1;Bonjour, voilà, bref, oui\n")
    assert message(item).text == "Bonjour, voilà, bref, oui"


def test_ragged_rows_are_broken_and_the_others_are_read(tmp_path: Path) -> None:
    short, good, long = from_file(tmp_path, "a.csv", "id,text\n1\n\n2,b\n3,c,d\n")
    assert (short, ids([good])) == (Broken(1, "a row of 1 fields under a header of 2"), ["2"])
    assert reason(long) == "a row of 3 fields under a header of 2"


def test_a_lost_quote_costs_one_row_and_not_the_rest(tmp_path: Path) -> None:
    table = 'id;text\n1;a\n2;"b\n3;c\n4;"d ""x"""\n5;e\n6;"f'
    found = from_file(tmp_path, "a.csv", table)
    assert [isinstance(item, Broken) for item in found] == [False, True, False, False, False, True]
    assert [message(found[place]).text for place in (0, 2, 3, 4)] == ["a", "c", 'd "x"', "e"]


def test_a_table_without_a_text_column_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no column of text"):
        from_file(tmp_path, "a.csv", "1,2\n3,4\n")


def test_a_bad_line_of_json_lines_is_one_broken_record(tmp_path: Path) -> None:
    lines = '{"text": "a"}\n\n{"text": \n[1]\n"b"\n' + "[" * 100_000 + "\n" + '{"text": NaN}\n'
    found = from_file(tmp_path, "a.jsonl", lines)
    assert [item.number for item in found if isinstance(item, Broken)] == [2, 3, 5, 6]
    assert ids([found[0], found[3]]) == ["row/1", "row/4"]
    assert reason(found[2]) == "a record is an object or a text, not a list"


def test_a_line_of_wrong_utf_8_is_read_as_windows_1252_and_spoils_no_other(tmp_path: Path) -> None:
    first, second = from_file(
        tmp_path, "a.ndjson", '{"text": "é"}\n'.encode() + b'{"text": "\xe9"}'
    )
    assert message(first).text == message(second).text == "é"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2025-01-15T09:23:00Z", datetime(2025, 1, 15, 9, 23, tzinfo=UTC)),
        ("2025-01-15 09:23", datetime(2025, 1, 15, 9, 23, tzinfo=UTC)),
        ("15/01/2025", datetime(2025, 1, 15, tzinfo=UTC)),
        ("15/01/2025 09:23:07", datetime(2025, 1, 15, 9, 23, 7, tzinfo=UTC)),
        (1736932980, datetime(2025, 1, 15, 9, 23, tzinfo=UTC)),
        (1736932980000, datetime(2025, 1, 15, 9, 23, tzinfo=UTC)),
        (None, NOW),
        ("", NOW),
    ],
)
def test_dates_are_read_in_the_usual_forms(
    tmp_path: Path, given: object, expected: datetime
) -> None:
    assert message(of_record(tmp_path, text="a", created_at=given)).received_at == expected


@pytest.mark.parametrize("given", ["hier", "31/02/2025", "1970-01-01", "9999-12-31", 10**12 * 9, 5])
def test_dates_that_cannot_be_make_a_record_broken(tmp_path: Path, given: object) -> None:
    assert "received_at" in reason(of_record(tmp_path, text="a", created_at=given))


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"text": "a", "channel": "pigeon"}, "unknown channel 'pigeon'"),
        ({"text": "a", "channel": "Mon numéro est le 06"}, "unknown channel of 20 characters"),
        ({"text": " ", "subject": ""}, "a message without text"),
        ({"text": ["a"]}, "text: a text is needed, not a list"),
        ({"text": {"a": 1}}, "text: a text is needed, not an object"),
        ({"text": "a\0b"}, "text: "),
        ({"text": "\ud800"}, "text: "),
        ({"text": "a", "id": "x" * 256}, "external_id: "),
        ({"text": "x" * 1_000_000}, "text: "),
        ({"text": "a", "channel": "mail", "from": "C-42"}, "x-99 is not an e-mail address"),
    ],
)
def test_a_broken_record_tells_why_without_the_customers_words(
    tmp_path: Path, fields: dict[str, object], why: str
) -> None:
    told = reason(of_record(tmp_path, **fields))
    assert why in told
    assert not any(secret in told for secret in ("C-42", "numéro", "xxxx"))


def test_an_address_that_does_not_fit_is_left_out_if_the_customer_is_known(tmp_path: Path) -> None:
    item = message(of_record(tmp_path, text="a", channel="mail", **{"from": "C42"}, client="C42"))
    assert (item.sender, item.customer_ref) == (None, "C42")


def test_the_name_around_an_address_is_dropped(tmp_path: Path) -> None:
    item = message(of_record(tmp_path, text=5, channel="E-Mail", sender="Ana B <ana@b.fr>"))
    assert (item.sender, item.text) == ("ana@b.fr", "5")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.json", b'[{"text": "secret"}, {"te', "broken JSON at line 1"),
        ("a.json", b"[" * 100_000, "nested too deeply"),
        ("a.json", b'{"a": 1}', "no list of messages"),
        ("a.json", b"", "1 to 536870912 bytes is needed, this one has 0"),
        ("a.csv", b"id,text\n1,\x81\xe9", "no text in UTF-8, UTF-16 or Windows-1252"),
        ("a.csv", b"\xff\xfei\0d", "no text in UTF-8, UTF-16 or Windows-1252"),
        ("a.jsonl", b"\xff\xfe\0\xd8", "no text in UTF-8, UTF-16 or Windows-1252"),
        ("a.csv", b'"text\n1', "the header row is broken"),
        ("a.mbox", b"Subject: x\n\n", "no mbox"),
        ("a.xlsx", b"PK\3\4", "unknown format"),
    ],
)
def test_a_file_that_is_no_mailbox_says_so_at_once(
    tmp_path: Path, name: str, content: bytes, why: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableFile, match=why) as caught:
        read(tmp_path / name, default_channel=Channel.CHAT, now=NOW)
    assert "secret" not in str(caught.value)


def test_missing_files_empty_folders_and_giants_are_refused(tmp_path: Path) -> None:
    with (tmp_path / "giant.csv").open("wb") as giant:
        giant.truncate(512 * 2**20 + 1)
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "giant.csv"):
        with pytest.raises(UnreadableFile):
            read(path, default_channel=Channel.CHAT, now=NOW)


def test_a_table_of_a_megabyte_in_one_row_is_one_broken_record(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerows([["id", "text"], ["1", "a\n" * 500_000], ["2", "b"]])
    big, small = items(tmp_path / "a.csv")
    assert ("text: " in reason(big), ids([small])) == (True, ["2"])


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the client's data is not here")
def test_the_clients_own_files_are_read_whole() -> None:
    tickets = [message(item) for item in items(SEEDS / "tickets.json")]
    assert len({one.external_id for one in tickets}) == len(tickets) == 50
    assert all(one.external_id.startswith("TK") and one.customer_ref for one in tickets)
    assert {one.channel for one in tickets} == {Channel.EMAIL, Channel.SMS, Channel.CALL}
    assert len(set(ids(items(SEEDS / "c750_queries_dev.json")))) == 30
