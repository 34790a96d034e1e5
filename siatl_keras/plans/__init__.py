"""How a model is taught: phases, rates, γ and averaging, as values."""

from siatl_keras.callbacks.phases import Phase, stages
from siatl_keras.optimizers.groups import PAPER_GROUPS, Group
from siatl_keras.plans.methods import (
    METHODS,
    last_token,
    lower_half,
    p_lm,
    p_lm_aux,
    p_lm_su,
    scratch,
    siatl,
    ulmfit,
)
from siatl_keras.plans.plan import Gamma, LanguageModelTraining, Plan
from siatl_keras.plans.rate import Rate
from siatl_keras.plans.settings import Settings

__all__ = [
    "METHODS",
    "PAPER_GROUPS",
    "Gamma",
    "Group",
    "LanguageModelTraining",
    "Phase",
    "Plan",
    "Rate",
    "Settings",
    "last_token",
    "lower_half",
    "p_lm",
    "p_lm_aux",
    "p_lm_su",
    "scratch",
    "siatl",
    "stages",
    "ulmfit",
]
