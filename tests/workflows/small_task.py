"""A task that a tiny language model solves: texts, and the arguments of short runs."""

GOOD = ["so glad today", "what a lovely day", "really good flight", "i love this"]
BAD = ["so sad today", "what an awful day", "really bad flight", "i hate this"]
WORDS = sorted({word for text in GOOD + BAD for word in text.split()})
# Words that occur in texts of one class only.
TELLING = {
    **dict.fromkeys(("glad", "a", "lovely", "good", "love"), 1.0),
    **dict.fromkeys(("sad", "an", "awful", "bad", "hate"), -1.0),
}
SMALL = {"batch_size": 8, "sequence_length": 12, "verbose": 0}
ADAPTING = {
    "text_column": "text",
    "epochs": 8,
    "batch_size": 8,
    "sequence_length": 12,
    "learning_rate": 0.05,
    "rate_divisor": 2.6,
    "schedule": "slanted_triangular",
    "clipnorm": 1.0,
    "sampled_words": None,
    "backbone": None,
    "seed": 0,
    "verbose": 0,
}
