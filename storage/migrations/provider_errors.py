"""What providers' error codes mean at first; people change the table, not this list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

SUPPRESS, OPT_OUT, ALERT, RETRY = "suppress", "opt_out", "alert", "retry"
SLOW_DOWN = "slow_down"

TWILIO = (
    ("21610", OPT_OUT, "le destinataire a écrit STOP"),
    ("21211", SUPPRESS, "ce n'est pas un numéro de téléphone"),
    ("21214", SUPPRESS, "le numéro ne peut pas être atteint"),
    ("21217", SUPPRESS, "le numéro n'a pas de forme valable"),
    ("21614", SUPPRESS, "le numéro n'est pas celui d'un mobile"),
    ("21635", SUPPRESS, "le numéro est celui d'une ligne fixe"),
    ("30005", SUPPRESS, "ce mobile n'existe pas ou n'est plus en service"),
    ("30006", SUPPRESS, "ligne fixe, ou opérateur qui ne peut pas être atteint"),
    ("20003", ALERT, "identifiants refusés : vérifiez ASTREINTE_TWILIO_SID et _TOKEN"),
    ("21212", ALERT, "notre numéro ou notre nom d'expéditeur n'est pas valable"),
    ("21408", ALERT, "ce pays n'est pas ouvert dans la console de Twilio"),
    ("21606", ALERT, "notre numéro ne peut pas envoyer de SMS à ce destinataire"),
    ("21608", ALERT, "compte d'essai : le destinataire doit d'abord être vérifié"),
    ("21612", ALERT, "ce destinataire ne peut pas être atteint depuis notre numéro"),
    ("21617", ALERT, "texte de plus de 1 600 caractères"),
    ("30002", ALERT, "notre compte est suspendu"),
    ("30007", ALERT, "filtré par l'opérateur comme indésirable"),
    ("30024", ALERT, "notre numéro n'est pas déclaré auprès de l'opérateur"),
    ("30032", ALERT, "notre numéro vert n'est pas vérifié"),
    ("30034", ALERT, "notre numéro n'est pas enregistré pour les États-Unis"),
    ("30410", ALERT, "l'opérateur n'a pas répondu : le SMS est peut-être arrivé"),
    ("30003", RETRY, "mobile éteint ou hors de portée"),
    ("30004", RETRY, "bloqué par le destinataire ou son opérateur"),
    ("30008", RETRY, "non remis, sans raison connue"),
    ("30009", RETRY, "une partie du message manque"),
    ("20429", SLOW_DOWN, "trop de requêtes à la fois"),
    ("14107", SLOW_DOWN, "plus de 15 SMS en 30 s entre deux numéros : une boucle ?"),
    ("21611", SLOW_DOWN, "la file de notre numéro est pleine"),
    ("30001", SLOW_DOWN, "la file de notre compte a débordé"),
    ("30022", SLOW_DOWN, "débit dépassé"),
    ("30023", SLOW_DOWN, "plafond du jour atteint"),
    ("63017", SLOW_DOWN, "débit du canal dépassé"),
)
"""Code, effect, meaning: Twilio's dictionary of errors, and its advice on which to repeat."""

SENDGRID = (
    ("bounce", SUPPRESS, "l'adresse n'existe pas"),
    ("dropped", SUPPRESS, "adresse que SendGrid ne sert plus : refusée, désabonnée ou plainte"),
    ("spamreport", SUPPRESS, "le destinataire a signalé un courriel indésirable"),
    ("unsubscribe", SUPPRESS, "le destinataire s'est désabonné"),
    ("blocked", ALERT, "refusé pour le moment par le serveur du destinataire"),
    ("dropped_by_us", ALERT, "non envoyé : contenu jugé indésirable, ou quota dépassé"),
    ("400", ALERT, "courriel refusé par SendGrid"),
    ("401", ALERT, "clé refusée : vérifiez ASTREINTE_SENDGRID_KEY"),
    ("403", ALERT, "expéditeur non vérifié : vérifiez ASTREINTE_MAIL_SENDER chez SendGrid"),
    ("413", ALERT, "courriel trop grand"),
)
"""Events of its Event Webhook, and statuses of its REST API."""

SMTP = (
    ("5.0.0", SUPPRESS, "l'adresse refuse les courriels pour de bon"),
    ("5.1.0", SUPPRESS, "l'adresse n'est pas valable"),
    ("5.1.1", SUPPRESS, "l'adresse n'existe pas"),
    ("5.1.2", SUPPRESS, "le domaine de l'adresse n'existe pas"),
    ("5.1.3", SUPPRESS, "l'adresse est mal écrite"),
    ("5.1.6", SUPPRESS, "le destinataire a changé d'adresse"),
    ("5.1.10", SUPPRESS, "le domaine de l'adresse ne reçoit pas de courriels"),
    ("5.2.1", SUPPRESS, "la boîte est fermée"),
    ("5.4.1", SUPPRESS, "le serveur du destinataire ne connaît pas l'adresse"),
    ("5.4.4", SUPPRESS, "le domaine de l'adresse ne mène nulle part"),
    ("5.5.0", SUPPRESS, "la boîte n'existe pas"),
    ("sender", ALERT, "expéditeur refusé : vérifiez ASTREINTE_MAIL_SENDER"),
    ("5.2.2", ALERT, "la boîte du destinataire est pleine"),
    ("5.2.3", ALERT, "courriel trop grand pour le destinataire"),
    ("5.3.4", ALERT, "courriel trop grand"),
    ("5.7.1", ALERT, "refusé par une règle du serveur : notre nom ou notre texte ?"),
)
"""Of bounces and refusals by a mail server (RFC 3463)."""

TELEGRAM = (("403", SUPPRESS, "le destinataire a bloqué notre robot"),)
"""Of its Bot API; `/start` has the bot write again."""


def fill() -> None:
    """Fill the table; on a server a step that failed half way may have done so already."""
    columns = ("provider", "code", "effect", "meaning")
    table = sa.table("provider_error", *(sa.column(name, sa.String) for name in columns))
    op.execute(table.delete())
    known = {"twilio": TWILIO, "sendgrid": SENDGRID, "smtp": SMTP, "telegram": TELEGRAM}
    rows = [(provider, *row) for provider, codes in known.items() for row in codes]
    op.bulk_insert(table, [dict(zip(columns, row, strict=True)) for row in rows])
