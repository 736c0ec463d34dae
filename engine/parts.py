"""What one partition's engine is made of. A reload replaces the rules and what judges by them, the rest stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from customers.layout import T
from customers.partition import Partition
from customers.rounds import Limits
from detectors.features import CATALOGUE
from engine.evaluation import Evaluation
from engine.guarding import Alarm, with_held
from engine.row_views import Names
from engine.shadow import Shadow
from models.champion import Champion
from population.judge import Judge
from population.watches import Watches
from rules.decide import Decider
from rules.ledger import Ledger
from rules.load import Configuration
from rules.ruleset import Rule
from rules.signals import declared, features_of
from rules.writing import Writer

VERSION: Final = "0.1.0"
DAY_US: Final = 86_400_000_000
SECOND_US: Final = 1_000_000
NO_LIMIT: Final = 2**62


def writer_of(configuration: Configuration) -> Writer:
    """Who writes decisions down, in the words of the catalogue and of the operator's own signals."""
    signals = {signal.name: signal for signal in features_of(configuration.settings.signals)}
    return Writer(configuration, {**CATALOGUE, **signals}, VERSION)


class Parts:
    """The parts, and how they are put together. Whoever keeps hold of them asks anew each time: a reload replaces some."""

    def __init__(self, configuration: Configuration, model: Champion, ledger: Ledger | None = None) -> None:
        settings = configuration.settings
        self.settings = settings
        self.configuration = configuration  # as it was asked for: rules that are held are live in it
        self.held: dict[str, Alarm] = {}  # rules that the guard keeps in shadow
        self.ledger = ledger
        self.writer = writer_of(configuration)
        self.decider = Decider(configuration, self.writer)
        self.shadow = Shadow(configuration, self.writer)
        self.partition = Partition(
            self._limits(), self.decider.words, int(settings.utc_offset), declared(settings.signals)
        )
        if model.vocabulary:  # a saved model's categories keep their numbers
            self.partition.profiles.attributes.restore(model.vocabulary)
        self.names = Names(self.partition)
        self.model = model
        self._versions = {name: self.writer.versions[name] for name in ("engine", "rules")}
        self.watches = Watches(int(settings.utc_offset), self._versions)
        self.judge: Judge | None = None  # of all partitions, in the one that has it
        self.evaluation = self.evaluation_of(configuration, self.decider.rules, self.shadow.decider.rules)

    def _limits(self) -> Limits:
        settings = self.settings
        return Limits(
            lateness=int(settings.lateness),
            fact_lateness=int(settings.fact_lateness),
            recheck=int(settings.recheck),
            hold=min(self.decider.least_hold, self.shadow.decider.least_hold),
            usage_horizon=max(int(settings.lateness), DAY_US) // SECOND_US,
            fact_horizon=max(int(settings.fact_lateness), DAY_US) // SECOND_US,
        )

    def evaluation_of(
        self, configuration: Configuration, rules: Sequence[Rule], shadow: Sequence[Rule] = ()
    ) -> Evaluation:
        """What judges by these rules, over the customers and with the model there are."""
        network, market = self.watches.network.holds, self.watches.market
        return Evaluation(self.partition, self.model, configuration, rules, network, market, shadow)

    def make_judge(self) -> Judge:
        """Have the one that judges for all partitions here."""
        if self.judge is None:
            self.judge = Judge(int(self.settings.utc_offset), self._versions)
        return self.judge

    def known(self) -> npt.NDArray[np.int64]:
        """Rows of the customers who ever had an event."""
        return np.flatnonzero(self.partition.customers.column("times", T["first_seen"]) > 0)

    def wake(self, customer: int) -> None:
        """Have the customer evaluated when the rules next wait for something."""
        self.partition.set_rules_due(customer, self.decider.timers.next(customer))

    def install(self, configuration: Configuration, held: dict[str, Alarm]) -> None:
        """Put other rules in the place of those there are, but for state; those that are `held` in shadow."""
        effective = with_held(configuration, held)
        writer = writer_of(effective)
        writer.decided_at = self.writer.decided_at
        decider, shadow = Decider(effective, writer), Shadow(effective, writer)
        customers = self.partition.customers
        carried = decider.take_over(self.decider, customers.bits[: customers.count])
        shadow.take_over(self.shadow)
        customers.replace_bits(carried.bits)
        attributes = self.evaluation.attributes
        self.settings, self.configuration, self.held = configuration.settings, configuration, held
        self.writer, self.decider, self.shadow = writer, decider, shadow
        for customer in carried.customers:
            self.wake(customer)
        self._versions["rules"] = writer.versions["rules"]
        self.partition.limits = self._limits()
        self.evaluation = self.evaluation_of(effective, decider.rules, shadow.decider.rules)
        self.evaluation.show(attributes)
