"""The peer in transformers: a sequence classifier on SmolLM2, fine-tuned by `Trainer`.

It reads the GGUF file that our SmolLM2 is made of.
"""

import torch
from transformers import (
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from benchmarks.peers.transformers_lm import from_gguf
from benchmarks.quality.sides import Answers, folder_megabytes

MOST_TOKENS = 256  # As many as ours reads.


def fit(texts, labels, seed, folder):
    """Fine-tunes all weights by its defaults; see `benchmarks.quality.sides`."""
    set_seed(seed)
    names = sorted(set(labels))
    model, tokenizer = from_gguf(
        AutoModelForSequenceClassification, num_labels=len(names)
    )
    model.is_quantized = False  # Its weights are float32 now, and may learn.
    model.config.pad_token_id = tokenizer.pad_token_id

    def encoded(text):
        return tokenizer(text, truncation=True, max_length=MOST_TOKENS)

    rows = [
        {**encoded(text), "labels": names.index(label)}
        for text, label in zip(texts, labels, strict=True)
    ]
    arguments = TrainingArguments(
        output_dir=str(folder / "trainer"),
        seed=seed,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
    )
    collator = DataCollatorWithPadding(tokenizer)
    Trainer(model, arguments, train_dataset=rows, data_collator=collator).train()
    model.eval()
    (folder / "saved").mkdir()
    torch.save(model.state_dict(), folder / "saved" / "model.pt")

    @torch.no_grad()
    def answers(texts):
        found = []
        for start in range(0, len(texts), 32):
            batch = collator([encoded(text) for text in texts[start : start + 32]])
            found += model(**batch).logits.softmax(-1).tolist()
        return Answers.of(names, found)

    return answers, folder_megabytes(folder / "saved")
