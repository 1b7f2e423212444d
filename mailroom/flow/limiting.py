"""How much is answered: to one address, to one domain, to one case, to what says the same again and again.

Limits hold back, they never drop: what is held the keeper sees and may let go. Words of danger pass every limit, but
for a second time within the hour.
"""

from dataclasses import dataclass, replace

from mailroom.flow.desk import Policy
from mailroom.flow.filing import Budget, Spending, Understood
from mailroom.flow.linking import Link
from mailroom.flow.pace import Pace, Payer
from mailroom.mail.same import wording
from mailroom.mail.thread import is_answer

RECEIPT = "receipt"
# So many answers of one hour that say the same, each from another address, are a robot that answers our answers.
ALIKE = 5

# Providers where so many people have their mailbox that a limit per domain would silence strangers.
LARGE_PROVIDERS = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "aol.com"),
        *("icloud.com", "me.com", "proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "mail.ru", "yandex.ru"),
        *("qq.com", "163.com", "126.com", "naver.com", "orange.fr", "free.fr", "libero.it", "uol.com.br", "riseup.net"),
    }
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether something is sent, and why (not). `held` is the reason for which it waits for the keeper."""

    will_send: bool
    why: str
    held: str | None = None
    template: str | None = None


def asked(understood: Understood, link: Link) -> Spending:
    """Say what this mail could use of the budgets.

    What it says counts only where it answers something and belongs to no case: people who tell the same story, even in
    the same words, begin it.
    """
    opened, message = understood.opened, understood.opened.message
    answers = link.case is None and is_answer(message.subject, message.references)
    return Spending(
        address=opened.writer,
        vouched=opened.authentication == "pass",
        urgent=bool(understood.triage.flags),
        receipt=link.case.reference if link.case else None,
        wording=wording(message.text) if answers else None,
    )


def payers(spending: Spending) -> list[Payer]:
    """Name the budgets that are counted while an answer is on its way into the records."""
    found: list[Payer] = [((spending.address or "").rpartition("@")[2].casefold(), spending.vouched)]
    return found + ([(spending.wording, None)] if spending.wording else [])


def with_promises(budget: Budget, spending: Spending, pace: Pace) -> Budget:
    """Add what is on its way."""
    to_domain, *alike = (pace.promises(payer) for payer in payers(spending))
    return replace(budget, to_domain=budget.to_domain + to_domain, alike=budget.alike + sum(alike))


def used(spending: Spending, answer: Answer) -> Spending:
    """Say what this mail uses: an answer that goes counts, and what it says counts in any case."""
    if not answer.will_send:
        return Spending(None, wording=spending.wording)
    receipt = spending.receipt if answer.template == RECEIPT else None
    return replace(spending, receipt=receipt)


def within(policy: Policy, answer: Answer, spending: Spending, budget: Budget) -> Answer:
    """Hold back an answer that is one too many; urgent ones pass once an hour."""
    if not answer.will_send or spending.address is None or (spending.urgent and not budget.urgent):
        return answer
    return _one_too_many(policy, answer, spending.address, budget) or answer


def _one_too_many(policy: Policy, answer: Answer, address: str, budget: Budget) -> Answer | None:
    template, domain = answer.template, address.rpartition("@")[2].casefold()
    if template == RECEIPT and budget.receipts:
        return Answer(False, "this case had its receipt for today", None, template)
    if budget.to_sender >= policy.per_sender_per_day:
        return Answer(False, "this address had its answers for today", "limit per address", template)
    if budget.to_domain >= policy.per_domain_per_hour and domain not in LARGE_PROVIDERS:
        return Answer(False, "this domain had its answers for this hour", "limit per domain", template)
    if budget.alike >= ALIKE:
        return Answer(False, "many answers of this hour say the same", "perhaps a robot", template)
    return None
