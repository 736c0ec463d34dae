"""What bounds the learning: how far a label looks, how much is remembered, how much may be learned per hour."""

from dataclasses import dataclass

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class LearningSettings:
    """Every number of the learning model; the defaults are for one process with up to a few million customers."""

    horizon_days: float = 30.0
    """A risk is the probability of leaving voluntarily within this many days."""
    label_delay_days: float = 0.0
    """How much longer to wait for outcomes that are reported late before a horizon counts as passed without churn."""
    pending_examples: int = 50_000
    """At most this many frozen examples wait for their label; beyond it a fixed random part of them is kept."""
    examples_per_tick: int = 256
    """At most this many are learned at one tick (0.1 s of work); the rest waits for the next."""
    negatives_per_positive: float = 3.0
    """How many that stayed are learned for each that left; the calibration knows how many each stands for."""
    negatives_per_tick: float = 0.5
    """And about that many per tick even while nobody leaves, so that a quiet stretch is learned as such."""
    positives_to_speak: int = 30
    """Risk stays unknown until this many examples of leavers were learned ..."""
    negatives_to_speak: int = 60
    """... and this many of customers who stayed."""
    publish_every: int = 256
    """A new scoring state is published when this many examples were learned since the last one, or a day ended."""
    rebin_days: float = 30.0
    """Quantile edges follow the population: they are fitted again after this time."""
    linear_rate: float = 0.05
    """AdaGrad's step for the logistic regression."""
    trees: int = 10
    tree_features: float = 0.5
    """The share of the features that a leaf of a tree looks at."""
    tree_grace: int = 60
    """Examples that a leaf sees between two attempts to split."""
    tree_delta: float = 0.1
    tree_tau: float = 0.1
    tree_depth: int = 12
    tree_lifetime: int = 30_000
    """A tree is replaced by a new one after this many examples (one at a time): bounded memory, and old news fades."""
    forest_burst: int = 10_000
    """Trees cost 0.2-0.4 ms an example: so many may be learned at once after a quiet time ..."""
    forest_per_tick: float = 3.0
    """... and so many per tick in the long run; the logistic regression learns the others too."""
    calibration_examples: int = 4096
    """The calibration looks at the newest examples, so many."""
    anomaly_trees: int = 10
    anomaly_height: int = 6
    anomaly_window: int = 512
    """The anomaly detector forgets what was usual after so many customer-days that it learned."""
    anomaly_learned_per_day: int = 64
    """River takes 60 µs to learn a customer-day: at most so many of a day are learned ..."""
    anomaly_per_day: int = 256
    """... and at most so many are sampled, to know how common a score is among ..."""
    anomaly_sample: int = 4095
    """... the newest sampled customer-days, so many."""
    anomaly_to_speak: int = 1000
    """The anomaly stays unknown until there are this many."""

    @property
    def horizon_us(self) -> int:
        """The horizon in microseconds."""
        return round(self.horizon_days * DAY_US)

    @property
    def label_delay_us(self) -> int:
        """The wait for late outcomes in microseconds."""
        return round(self.label_delay_days * DAY_US)
