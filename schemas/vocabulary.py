"""The words that both flows share, with their French and English labels."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Language(StrEnum):
    """The languages in which customers are answered."""

    FR = "fr"
    EN = "en"


class Labelled(StrEnum):
    """An enum whose members have a label in each language: `NAME = value, français, English`."""

    fr: str
    en: str

    def __new__(cls, value: str, fr: str = "", en: str = "") -> Self:
        """Make a member whose value is the first word."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.fr = fr
        member.en = en
        return member

    def label(self, language: Language) -> str:
        """Return the label in `language`."""
        return self.fr if language is Language.FR else self.en


class Channel(Labelled):
    """How a message came in."""

    EMAIL = "email", "e-mail", "e-mail"
    SMS = "sms", "SMS", "text message"
    CALL = "call", "appel", "call"
    CHAT = "chat", "chat", "chat"
    TELEGRAM = "telegram", "Telegram", "Telegram"


class Category(Labelled):
    """What a message is about."""

    TECHNICAL = "technical", "technique", "technical"
    ORDER = "order", "commande", "order"
    INFORMATION = "information", "demande d'information", "information"
    BILLING = "billing", "facturation", "billing"
    COMPLAINT = "complaint", "réclamation", "complaint"
    OTHER = "other", "autre", "other"


class Intent(Labelled):
    """What the writer wants. Each belongs to one category: `CATEGORY_OF`."""

    FAULT = "fault", "panne", "fault"
    HOW_TO = "how_to", "mode d'emploi", "how-to"
    INSTALLATION = "installation", "installation", "installation"
    TECHNICIAN_VISIT = "technician_visit", "passage d'un technicien", "technician's visit"
    SUPPLIES = "supplies", "consommables", "supplies"
    ORDER_STATUS = "order_status", "suivi de commande", "order status"
    QUOTE = "quote", "devis", "quote"
    PRODUCT_INFORMATION = "product_information", "renseignement produit", "product information"
    COMPANY_INFORMATION = "company_information", "nos coordonnées", "company information"
    CONTRACT_INFORMATION = "contract_information", "contrat et garantie", "contract and warranty"
    INVOICE_COPY = "invoice_copy", "copie de facture", "copy of an invoice"
    INVOICE_DISPUTE = "invoice_dispute", "facture contestée", "disputed invoice"
    PAYMENT = "payment", "règlement", "payment"
    SERVICE_DELAY = "service_delay", "retard", "delay"
    SERVICE_QUALITY = "service_quality", "insatisfaction", "dissatisfaction"
    CANCELLATION = "cancellation", "résiliation", "cancellation"
    THANKS = "thanks", "remerciement", "thanks"
    GREETING = "greeting", "salutation", "greeting"
    HUMAN_REQUEST = "human_request", "parler à une personne", "wants a person"
    OFF_TOPIC = "off_topic", "hors sujet", "off topic"
    ADVERTISING = "advertising", "publicité", "advertising"


CATEGORY_OF: dict[Intent, Category] = {
    Intent.FAULT: Category.TECHNICAL,
    Intent.HOW_TO: Category.TECHNICAL,
    Intent.INSTALLATION: Category.TECHNICAL,
    Intent.TECHNICIAN_VISIT: Category.TECHNICAL,
    Intent.SUPPLIES: Category.ORDER,
    Intent.ORDER_STATUS: Category.ORDER,
    Intent.QUOTE: Category.ORDER,
    Intent.PRODUCT_INFORMATION: Category.INFORMATION,
    Intent.COMPANY_INFORMATION: Category.INFORMATION,
    Intent.CONTRACT_INFORMATION: Category.INFORMATION,
    Intent.INVOICE_COPY: Category.BILLING,
    Intent.INVOICE_DISPUTE: Category.BILLING,
    Intent.PAYMENT: Category.BILLING,
    Intent.SERVICE_DELAY: Category.COMPLAINT,
    Intent.SERVICE_QUALITY: Category.COMPLAINT,
    Intent.CANCELLATION: Category.COMPLAINT,
    Intent.THANKS: Category.OTHER,
    Intent.GREETING: Category.OTHER,
    Intent.HUMAN_REQUEST: Category.OTHER,
    Intent.OFF_TOPIC: Category.OTHER,
    Intent.ADVERTISING: Category.OTHER,
}


class Priority(Labelled):
    """How soon a person would have to look."""

    LOW = "low", "basse", "low"
    MEDIUM = "medium", "moyenne", "medium"
    HIGH = "high", "haute", "high"
    CRITICAL = "critical", "critique", "critical"


class Severity(Labelled):
    """How bad an alarm is. One vocabulary for what the older systems called by eight names."""

    LOW = "low", "basse", "low"
    MEDIUM = "medium", "moyenne", "medium"
    HIGH = "high", "haute", "high"
    CRITICAL = "critical", "critique", "critical"


class FindingKind(Labelled):
    """What a message may name. Readers meet others too: newer writers find more."""

    BRAND = "brand", "marque", "make"
    MODEL = "model", "modèle", "model"
    ERROR_CODE = "error_code", "code d'erreur", "error code"
    SERIAL_NUMBER = "serial_number", "numéro de série", "serial number"
    ORDER_NUMBER = "order_number", "commande n°", "order no."
    INVOICE_NUMBER = "invoice_number", "facture n°", "invoice no."
    SUPPLY_REFERENCE = "supply_reference", "consommable", "supply"
    QUANTITY = "quantity", "quantité", "quantity"
    PAGE_COUNT = "page_count", "compteur", "page count"
    PHONE = "phone", "téléphone", "telephone"
    URGENCY = "urgency", "urgence", "urgency"


TOLD_KINDS = tuple(
    kind.value
    for kind in FindingKind
    if kind not in {FindingKind.QUANTITY, FindingKind.PHONE, FindingKind.URGENCY}
)
"""Kinds of findings that a customer is told to have been understood; the others are for people who
work here: « urgence asap » or their own telephone number say nothing to whoever wrote them."""


def kind_label(kind: str, language: Language) -> str:
    """Return the label of a kind of finding; the word itself when it is not one of ours."""
    known = FindingKind._value2member_map_.get(kind)
    return known.label(language) if isinstance(known, FindingKind) else kind


class Action(Labelled):
    """What the desk does with a message."""

    REPLY = "reply", "réponse", "reply"
    HANDOFF = "handoff", "transmis à une personne", "handed over"
    IGNORE = "ignore", "sans suite", "ignored"


class SendStatus(Labelled):
    """What became of an outgoing message.

    `doubtful`: it may have left; the provider is asked, or will report. `unknown`: nobody could
    say; it is not sent again, a person decides.
    """

    QUEUED = "queued", "en attente", "queued"
    SENDING = "sending", "en cours d'envoi", "sending"
    DOUBTFUL = "doubtful", "issue à vérifier", "outcome being verified"
    UNKNOWN = "unknown", "issue inconnue", "outcome unknown"
    SENT = "sent", "envoyé", "sent"
    FAILED = "failed", "échec", "failed"
    HELD = "held", "retenu (essai)", "held (trial)"
    NONE = "none", "rien à envoyer", "nothing to send"


class Fault(Labelled):
    """What may be wrong with a cold room: causes, symptoms that stand alone, and silence."""

    LEAK = "leak", "manque de fluide (fuite)", "refrigerant short (leak)"
    OVERCHARGE = "overcharge", "excès de fluide", "too much refrigerant"
    NON_CONDENSABLES = "non_condensables", "incondensables", "non-condensable gas"
    CONDENSER_FOULING = "condenser_fouling", "condenseur encrassé", "fouled condenser"
    CONDENSER_FAN = "condenser_fan", "ventilateur du condenseur", "condenser fan"
    EVAPORATOR_FROST = "evaporator_frost", "évaporateur givré", "frosted evaporator"
    EVAPORATOR_FAN = "evaporator_fan", "ventilateur de l'évaporateur", "evaporator fan"
    AIR_BLOCKED = "air_blocked", "passage d'air obstrué", "air path blocked"
    DEFROST = "defrost", "dégivrage défaillant", "defrost failure"
    EXPANSION_OPEN = "expansion_open", "détendeur trop ouvert", "expansion valve too far open"
    EXPANSION_CLOSED = "expansion_closed", "détendeur trop fermé", "expansion valve too far closed"
    LIQUID_RESTRICTION = "liquid_restriction", "ligne liquide bouchée", "liquid line restricted"
    COMPRESSOR_OVERHEAT = "compressor_overheat", "compresseur en surchauffe", "compressor too hot"
    COMPRESSOR_VALVES = "compressor_valves", "clapets du compresseur", "compressor valves leak"
    COMPRESSOR_STOPPED = "compressor_stopped", "compresseur à l'arrêt", "compressor does not run"
    THERMOSTAT = "thermostat", "thermostat défaillant", "thermostat failure"
    DOOR = "door", "porte ouverte", "door open"
    POWER = "power", "alimentation électrique", "power supply"
    SENSOR = "sensor", "capteur défectueux", "sensor fault"
    HIGH_PRESSURE = "high_pressure", "haute pression anormale", "high pressure out of range"
    LOW_PRESSURE = "low_pressure", "basse pression anormale", "low pressure out of range"
    HIGH_TEMPERATURE = "high_temperature", "température trop haute", "temperature too high"
    LOW_TEMPERATURE = "low_temperature", "température trop basse", "temperature too low"
    NO_DATA = "no_data", "plus de mesures", "no readings"
    COMMS = "comms", "liaison coupée", "link lost"
    DETECTOR_DOWN = "detector_down", "détecteur arrêté", "detector down"
    UNKNOWN = "unknown", "défaut inconnu", "unknown fault"


class Change(Labelled):
    """How an episode moved."""

    RAISED = "raised", "début", "raised"
    UPDATED = "updated", "précisé", "updated"
    CLEARED = "cleared", "fin", "cleared"
