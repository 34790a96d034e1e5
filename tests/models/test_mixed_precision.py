"""`SiATLClassifier` on an LSTM in half precision, through all stages."""

import numpy as np
import pytest

from rigs.three_stages import ULMFIT, fit


@pytest.mark.parametrize(
    ("head", "policy"),
    [
        pytest.param({}, "mixed_bfloat16", id="siatl-mixed_bfloat16"),
        *(
            pytest.param(head, policy, id=f"{name}-{policy}", marks=pytest.mark.slow)
            for name, head, policy in (
                ("siatl", {}, "mixed_float16"),
                ("ulmfit", ULMFIT, "mixed_bfloat16"),
                ("ulmfit", ULMFIT, "mixed_float16"),
            )
        ),
    ],
)
def test_mixed_precision_works_through_all_stages(
    make_classifier, texts, labels, policy, head
):
    model = make_classifier(backbone={"dtype": policy}, **head)
    history = fit(model, texts, labels, validation_data=(texts, labels)).history
    assert history["stage"] == [1, 2, 3, 3]
    assert np.isfinite(history["loss"]).all()
    assert model.predict(texts, verbose=0).dtype == np.float32
