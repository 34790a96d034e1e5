"""A misspelt argument is an error wherever Keras would swallow it."""

import pytest

from siatl_keras.models import LSTMBackbone, LSTMCausalLM, SiATLClassifier


def test_a_misspelt_argument_is_named_with_the_right_one(make_backbone):
    backbone = make_backbone()
    for misspelt, right in (
        ({"input_droput": 0.5}, "input_dropout"),
        ({"label_nmes": ["a", "b"]}, "label_names"),
        ({"num_class": 2}, "num_classes"),
        ({"auxilliary_loss": False}, "auxiliary_loss"),
        ({"nmae": "mine"}, "name"),
    ):
        name = next(iter(misspelt))
        with pytest.raises(TypeError, match=f"`{name}`. Did you mean `{right}`?"):
            SiATLClassifier(backbone, **{"num_classes": 2, **misspelt})
    with pytest.raises(TypeError, match="LSTMBackbone has no argument `hiden_dim`"):
        LSTMBackbone(6, 8, hidden_dim=8, num_layers=1, hiden_dim=3)
    with pytest.raises(TypeError, match="LSTMCausalLM has no argument `preproces"):
        LSTMCausalLM(backbone, preproces=None)


def test_an_argument_like_no_other_is_answered_with_all(make_backbone):
    with pytest.raises(TypeError, match="It takes: backbone, num_classes, preproc"):
        SiATLClassifier(make_backbone(), num_classes=2, xyzzy=1)


def test_a_dtype_belongs_to_the_backbone(make_backbone, make_lm, tmp_path):
    with pytest.raises(TypeError, match="no argument `dtype`"):
        SiATLClassifier(make_backbone(), num_classes=2, dtype="bfloat16")
    make_lm().save_to_preset(str(tmp_path))
    model = SiATLClassifier.from_preset(
        str(tmp_path), num_classes=2, dtype="mixed_bfloat16"
    )
    assert model.backbone.dtype_policy.name == "mixed_bfloat16"


def test_from_preset_refuses_what_it_would_hand_on(make_lm, tmp_path):
    make_lm().save_to_preset(str(tmp_path))
    with pytest.raises(TypeError, match="`hiden_dropout`. Did you mean `hidden_drop"):
        SiATLClassifier.from_preset(
            str(tmp_path), num_classes=2, backbone_overrides={"hiden_dropout": 0.4}
        )
    with pytest.raises(TypeError, match="`sequence_len`"):
        SiATLClassifier.from_preset(str(tmp_path), num_classes=2, sequence_len=8)
    SiATLClassifier.from_preset(
        str(tmp_path), num_classes=2, name="mine", trainable=True, sequence_length=8
    ).save_to_preset(str(tmp_path / "classifier"))
    again = SiATLClassifier.from_preset(str(tmp_path / "classifier"))
    assert (again.name, again.preprocessor.sequence_length) == ("mine", 8)
    with pytest.raises((TypeError, ValueError), match="`?input_droput"):
        SiATLClassifier.from_preset(str(tmp_path / "classifier"), input_droput=0.5)
