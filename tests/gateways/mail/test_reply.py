"""What somebody wrote now: mails of many programs, and texts made to hurt."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gateways.mail import fields_of
from gateways.mail.bodies import written_now
from gateways.mail.reply import split
from schemas.printer import InboundMessage

ROOT = Path(__file__).parents[3]
OURS = sorted((ROOT / "tests/data/mails").glob("*.eml"))
SHARED = ROOT.parent / "shared/data/email/discourse"


def words(text: str) -> str:
    return " ".join(text.split())


def reply_of(raw: bytes) -> str:
    fields = {name: value for name, value in fields_of(raw).items() if value is not None}
    return written_now(InboundMessage.model_validate(fields | {"channel": "email"}))


def test_there_are_mails_of_many_programs() -> None:
    assert len(OURS) >= 40


@pytest.mark.parametrize("mail", OURS, ids=lambda path: path.stem)
def test_what_was_written_now_is_told_from_what_is_quoted(mail: Path) -> None:
    assert words(reply_of(mail.read_bytes())) == words(mail.with_suffix(".txt").read_text("utf-8"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="the collected mails are not here")
def test_of_64_collected_mails_54_are_split_exactly_and_none_is_emptied() -> None:
    exact = 0
    mails = sorted((SHARED / "emails").glob("*.txt"))
    for mail in mails:
        reply = split(mail.read_bytes().decode("utf-8", "replace")).reply
        expected = (SHARED / "trimmed" / mail.name).read_bytes().decode("utf-8", "replace")
        assert reply, mail.name
        exact += words(reply) == words(expected)
    assert len(mails) == 64
    assert exact >= 54


@pytest.mark.parametrize(
    "ending",
    [
        "> Bonjour,\n> avez-vous redémarré ?",
        "Le 3 janv. 2025 à 10:12, Desk <desk@exemple.example> a écrit :\n> avez-vous redémarré ?",
        "Le ven. 3 janv. 2025 à 10:12, Desk <desk@exemple.example> a\nécrit :\n\n> redémarré ?",
        "On Fri, Jan 3, 2025 at 10:12 AM Desk <desk@exemple.example> wrote:\n> restarted?",
        "-----Message d'origine-----\n> De : Desk\n> redémarré ?",
        "-----Message d’origine-----\nDe : Desk, sans guillemets",
        "----- Original Message -----\n> From: Desk",
        ">\n> a\n\n> b\n",
        "2025-01-03 17:21 GMT+01:00 Desk <desk@exemple.example>:\n\n> redémarré ?",
        "понедельник, 6 октября 2025 г. пользователь Desk написал:\n\n> перезагрузили?",
        "Desk <desk@exemple.example> 于2025年1月3日周五 10:12写道：\n\n> 重启了吗？",
        "2025年1月3日(金) 10:12 Desk <desk@exemple.example>:\n\n> 再起動しましたか？",
        "Missatge de Desk <desk@exemple.example> del dia dv., 3 de gen. 2025 a les 10:12:\n\n> sí?",
        "În vin., 3 ian. 2025 la 10:12, Desk <desk@exemple.example> a scris:\n\n> repornit?",
        "Den fre 3 jan. 2025 kl 10:12 skrev Desk <desk@exemple.example>:\n\n> startat om?",
        "pe 3. tammik. 2025 klo 10.12 Desk (desk@exemple.example) kirjoitti:\n\n> käynnistit?",
        "pá 3. 1. 2025 v 10:12 odesílatel Desk <desk@exemple.example> napsal:\n\n> restart?",
        "Desk <desk@exemple.example> ezt írta (időpont: 2025. jan. 3., P, 10:12):\n\n> újra?",
        "Desk <desk@exemple.example>, 3 Oca 2025 Cum, 10:12 tarihinde şunu yazdı:\n\n> yeniden?",
        "Van: Desk\nVerzonden: vrijdag 3 januari 2025 10:12\nAan: Ana\nOnderwerp: printer\n\nHerstart?",
        "Från: Desk\nSkickat: den 3 januari 2025 10:12\nTill: Ana\nÄmne: skrivare\n\nStartat om?",
        "*De :* Desk\n*Envoyé :* vendredi 3 janvier 2025\n*Objet :* panne\n\nredémarré ?",
        "> Message du 03/01/25 10:12\n> De : Desk\n> A : Ana\n> Objet : panne\n>\n> redémarré ?",
        "Message du 03/01/25 10:12\nDe : Desk\nA : Ana\nCopie à :\nObjet : panne\n\nredémarré ?",
        '03.01.2025, 10.12, "Desk" <desk@exemple.example>:\n\nneu gestartet?',
        '10:12 AM, January 3, 2025, "Desk" <desk@exemple.example>:\n\nrestarted?',
        "Friday, 3 January 2025, 10:12 +0100 from Desk <desk@exemple.example>:\n\nrestarted?",
        "On Fri, 3 Jan 2025 10:12:00 +0100 Desk <desk@exemple.example> wrote\n\nrestarted?",
        "On Jan 3, 2025, at 10:12, Desk <desk@exemple.example<\nmailto:desk@exemple.example>> wrote:\nrestarted?",
        "Desk on Fri, 3 Jan 2025 at 10:12 wrote:\n\nrestarted?",
        "Desk <desk@exemple.example> schrieb am Fr., 3.\nJan. 2025, 10:12:\n\n> neu gestartet?",
        "Am 03.01.2025 um 10:12 schrieb Desk:\n> neu gestartet?",
        'In data 3 gennaio 2025 10:12:31 "Desk" <desk@exemple.example> ha scritto:\n\nriavviata?',
        "Em 3 de janeiro de 2025 às 10:12:35, Desk (\ndesk@exemple.example) escreveu:\n\nreiniciou?",
        "пт, 3 янв. 2025 г. в 10:12, Desk <desk@exemple.example>:\n\nперезагрузили?",
        "W dniu 03.01.2025 o 10:12, Desk pisze:\n> tak?",
        "Quoting Desk <desk@exemple.example>:\n\n> restarted?",
        "2025. 1. 3. 오전 10:12, Desk <desk@exemple.example> 작성:\n\n재시작?",
        "Στις Παρ, 3 Ιαν 2025 στις 10:12, ο χρήστης Desk <desk@exemple.example> έγραψε:\n\n> ναι;",
        "Vào Th 6, 3 thg 1, 2025 vào lúc 10:12 Desk <desk@exemple.example> đã viết:\n\n> chưa?",
        "בתאריך יום ו׳, 3 בינו׳ 2025 ב-10:12 מאת Desk <desk@exemple.example>:\n\n> כן?",
        "*De :* Desk [mailto:desk@exemple.example] *De la part de* Assistance\n*Envoyé :* hier\n*À :* Ana\n*Objet :* panne\n\nredémarré ?",
        "From: Desk\n<desk-with-a-long-address@exemple.example>\nSent: Friday\nTo: Ana\nSubject: jam\n\nrestarted?",
        '----- Mail original -----\nDe: "Desk" <d@x.example>\nEnvoyé: Vendredi\nObjet: x\n\na',
        "-------- Message transféré --------\nSujet : x\nDate : Fri, 3 Jan 2025\nDe : Desk\n\na",
        "> -----------------------\n> De : Desk\n> Envoyé : vendredi\n> Objet : x\n>\n> a",
        "Von: Desk Im Auftrag von X\nGesendet: Freitag, 3. Januar 2025\nAn: Ana\nBetreff: x\n\na",
        "De: Desk\nEnviada em: sexta-feira, 3 de janeiro de 2025\nPara: Ana\nAssunto: x\n\na",
        "Envoyé à partir d'Outlook pour Mac\n\nDe : D <d@x.example>\nDate : hier\nObjet : x\n\na",
        "---- On Fri, 03 Jan 2025 10:12:00 +0100 desk@exemple.example wrote ----\n\nrestarted?",
        "Le vendredi 3 janvier 2025 à 10:12, Desk <desk@exemple.example> a\u00a0écrit\u00a0:\n\nredémarré ?",
    ],
)
def test_a_quotation_at_the_end_is_cut_whatever_introduces_it(ending: str) -> None:
    assert split(f"Oui, deux fois.\n\n{ending}").reply == "Oui, deux fois."


@pytest.mark.parametrize(
    "text",
    [
        "> Avez-vous redémarré ?\nOui.\n> Et le câble ?\nAussi.",
        "Mon collègue a écrit :\nle bac 2 est vide.",
        "Bonjour\n\nLe 3 janv. 2025 à 10:12, Desk a écrit :\n> un ?\noui\n\n> deux ?\nnon",
        "Voir mes réponses en bleu.\n\n-----Message d'origine-----\nDe : Desk\nrallumé ? oui",
        "Le 3 janvier, l'écran a écrit :\nerreur 49, puis plus rien.",
        "On 3 January your colleague wrote to us:\nchange the drum. We did.",
        "Modèle : HP M404\nDate : 12/03/2026\nObjet : traits noirs\nÀ : changer le tambour",
        "Le 12/03 à 10h30 l'écran affiche :\nerreur 49\npuis s'éteint.",
        "Scan vers mail <scan@exemple.example> en panne depuis le 12/03/2026 :\nerreur 1102",
        "Le 3 mars 2026 elle s'est arrêtée et le technicien a écrit :\nfour à changer\n\nEst-ce garanti ?",
        "Contact sur place (Paul, paul@exemple.example), le 12/03/2026 :\n3e étage, porte gauche.",
        "Le fax est parti.\n\n----\n\nLe scanner non.\n\n====\n\nQue faire du scanner",
        "It was sent from my iPhone app to all users.\nAll messages are sent from the main server.",
        "2025-01-03 17:21\nErreur 49 à cette heure-là",
    ],
)
def test_what_may_have_been_written_now_is_never_cut(text: str) -> None:
    assert split(text).reply == text


@pytest.mark.parametrize(
    "ending",
    [
        "-- \nAna\nCabinet Exemple",
        "Envoyé de mon iPhone",
        "Envoyé depuis l’application Mail Orange",
        "Télécharger Outlook pour Android",
        "Gesendet von Outlook für iOS",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Verzonden vanaf mijn iPhone",
        "Sendt fra min iPad",
        "Sent from my Galaxy S24, please excuse any typos",
        "发自我的 iPhone",
        "This message is confidential and intended only for its addressee.\nDelete it if it is not you.",
        "_______\n\n***\n",
    ],
)
def test_signatures_and_small_print_are_left_aside(ending: str) -> None:
    found = split(f"Oui, deux fois.\n\n{ending}")
    assert found.reply == "Oui, deux fois."
    assert words(ending.strip("_*\n ")) in words(found.quoted)


def test_a_mail_that_only_quotes_stays_as_it_is() -> None:
    assert split("> rien\n> de nouveau").reply == "> rien\n> de nouveau"
    assert split("-- \nAna").reply == "-- \nAna"
    assert split(" \n").reply == ""


@pytest.mark.parametrize(
    "text",
    [
        "Le 3 janvier Desk a écrit :\n> redémarré ?\nOui, deux fois.",
        "On 1/3/2025 10:12 AM, Desk wrote:\n> restarted?\n>\n> Desk\n\nOui, deux fois.\n\n-- \nAna",
        "Le 3 janv. 2025 à 10:12, Desk <d@x.example> a\nécrit :\n> un\n>\n> -- \n> Desk\n\nOui, deux fois.",
    ],
)
def test_an_answer_beneath_the_whole_quotation_is_the_reply(text: str) -> None:
    assert split(text).reply == "Oui, deux fois."


def test_the_end_of_a_quoted_line_that_was_too_long_is_no_answer() -> None:
    long = (
        "> Avez-vous éteint l'imprimante, attendu une minute et rallumé celle du\npremier étage\n"
    )
    assert split(f"Oui.\n\nOn 1/2/2025 10:10, Desk wrote:\n{long}> Desk").reply == "Oui."
    asked = (
        "> Avez-vous éteint l'imprimante, attendu une minute, puis rallumé celle-ci ?\noui\n> Desk"
    )
    kept = f"Bonjour\n\nOn 1/2/2025 10:10, Desk wrote:\n{asked}"
    assert split(kept).reply == kept


def test_reply_and_quotation_together_are_the_mail() -> None:
    text = (ROOT / "tests/data/mails/fr-gmail.eml").read_text("utf-8").partition("\n\n")[2]
    found = split(text)
    assert words(f"{found.reply} {found.quoted}") == words(text)


ALERT = "Appareil : HP LaserJet M404dn\nCode : 50.2"
HEAD = "De : Alerte <alerte@exemple.example>\nEnvoyé : vendredi 3 janvier 2025\nObjet : four"


@pytest.mark.parametrize(
    "passed_on",
    [
        f"---------- Forwarded message ---------\n{HEAD}\n\n{ALERT}",
        f"Début du message transféré :\n\n> {HEAD}\n\n{ALERT}".replace("\n", "\n> ").replace(
            "> \n> > De", "\n> De"
        ),
        f"{HEAD}\n\n{ALERT}",
        f"{HEAD}\n\n{HEAD}\n\n{ALERT}",
        f"{HEAD}\n\n{ALERT}\n\n-----Message d'origine-----\n{HEAD}\n\nancien",
    ],
)
def test_what_is_forwarded_is_read_with_the_words_above_it(passed_on: str) -> None:
    said = split(f"Pouvez-vous regarder ?\n\n{passed_on}", forwarded=True).reply
    assert said.startswith("Pouvez-vous regarder ?")
    assert said.endswith(ALERT)


def test_a_reply_of_the_desk_that_is_forwarded_is_still_left_aside() -> None:
    ours = f"Elle l'a encore.\n\n{HEAD}\n\n{ALERT}".replace("alerte@", "desk+t_1@")
    assert split(ours, forwarded=True, desk="desk@exemple.example").reply == "Elle l'a encore."


LONG = 1_000_000
HOSTILE = {
    "On in a line": "On " * (LONG // 3),
    "On in lines": "On \n" * (LONG // 4),
    "dates": "On 1/1/2025 10:10 a@b.fr :\n" * (LONG // 28),
    "brackets": "<" * LONG,
    "addresses in lines": "<a@b.fr>:\n" * (LONG // 10),
    "marks": "Le 3 mai 2025 à 10:12, Ana <a@b.fr> a écrit :\n" * (LONG // 48),
    "marks and quotations": "Le 3 mai 2025, Ana <a@b.fr> a écrit :\n> a\nb\n" * (LONG // 46),
    "marks and blanks": ("Le 3 mai 2025, Ana <a@b.fr> a écrit :" + "\n" * 60) * (LONG // 100),
    "heads": "De : a\nDate : b\nObjet : c\n" * (LONG // 27),
    "half a head": "De : a\n" * (LONG // 7),
    "dashes": "--\n" * (LONG // 3),
    "rules": "-----\n" * (LONG // 6),
    "a rule": "-" * LONG,
    "signs": ">" * LONG,
    "quoted lines": "> a\n" * (LONG // 4),
    "blank lines": "a" + "\n" * LONG + "> b",
    "carriage returns": "\r" * LONG,
    "devices": "Envoyé de mon iPhone\n" * (LONG // 21),
    "blanks": ("Sent from my " + " " * 140 + "\n") * (LONG // 154),
    "small print": "This message is confidential.\n" * (LONG // 31),
    "colons": ("a" * 390 + ":\n") * (LONG // 392),
    "a digit and a colon": ("1 " * 190 + ":\n") * (LONG // 382),
    "words and a colon": ("on wrote a écrit " * 20 + ":\n") * (LONG // 342),
    "see below": "see below\n" * 20 + "-----Original Message-----\n" * (LONG // 28),
    "stars": "*" * 200 + "\n" + ("* " * 195 + "\n") * (LONG // 391),
    "joined lines": ("Le 3 mai 2025 " + "x" * 60 + "\n") * (LONG // 76) + ":",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_megabyte_is_split_in_less_than_a_second(name: str) -> None:
    text = HOSTILE[name]
    assert len(text) > 0.9 * LONG
    began = time.process_time()
    assert split(text).reply or not text.strip()
    assert time.process_time() - began < 1, name
