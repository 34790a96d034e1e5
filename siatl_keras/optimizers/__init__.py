"""Optimizers for groups of weights, and schedules; they know no model class."""

from siatl_keras.optimizers.fused_optimizers import FusedAdam, FusedSGD
from siatl_keras.optimizers.geometric_decay import GeometricDecay
from siatl_keras.optimizers.grouped_optimizer import GroupedOptimizer
from siatl_keras.optimizers.groups import (
    PAPER_GROUPS,
    Group,
    LayerGroups,
    LayerPart,
    groups_of,
)
from siatl_keras.optimizers.one_cycle import OneCycle, OneCycleMomentum
from siatl_keras.optimizers.paper_optimizer import (
    PRETRAINED_OPTIMIZERS,
    PRETRAINED_RATES,
    paper_optimizer,
)
from siatl_keras.optimizers.schedules import (
    SCHEDULES,
    ScheduleKind,
    scheduled_adam,
    scheduled_sgd,
)
from siatl_keras.optimizers.slanted_triangular import SlantedTriangular

__all__ = [
    "FusedAdam",
    "FusedSGD",
    "GeometricDecay",
    "Group",
    "GroupedOptimizer",
    "LayerGroups",
    "LayerPart",
    "OneCycle",
    "OneCycleMomentum",
    "PAPER_GROUPS",
    "PRETRAINED_OPTIMIZERS",
    "PRETRAINED_RATES",
    "SCHEDULES",
    "ScheduleKind",
    "SlantedTriangular",
    "groups_of",
    "paper_optimizer",
    "scheduled_adam",
    "scheduled_sgd",
]
