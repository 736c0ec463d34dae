"""Which of the ten causes a complaint's category or words speak of."""

from events.codes import CAUSE


def cause_of_category(category: str | None) -> int:
    return CAUSE.get(category, 0)


def cause_of_text(text: str | None) -> int:
    return 0
