"""Are a server's answers those of the model?"""

import json

MOST_KEPT = 16  # Bodies of a request that are known to be right.


class Judge:
    """Compares answers with the model's.

    Args:
        labels: the label of each text; `None` if nobody knows the answers.
        probabilities: of each text, float `[texts][labels]`, or `None`.
        tolerance: how far a probability may be away.
    """

    def __init__(self, labels, probabilities, tolerance):
        self.labels = labels
        self.probabilities = probabilities
        self.tolerance = tolerance

    def fault(self, request, body):
        """Says what is wrong with the answer to a `mixes.Request`; "" if nothing."""
        # The same bytes as before need not be read again, which takes longer.
        if body in request.right:
            return ""
        fault = self._fault(request.rows, body)
        if not fault and len(request.right) < MOST_KEPT:
            request.right.add(body)
        return fault

    def _fault(self, rows, body):
        try:
            answers = json.loads(body)["predictions"]
        except (ValueError, KeyError, TypeError):
            return f"no predictions in {body[:80]!r}"
        if not isinstance(answers, list) or len(answers) != len(rows):
            return f"not {len(rows)} answers: {body[:80]!r}"
        faults = map(self._fault_of_row, rows, answers)
        return next((fault for fault in faults if fault), "")

    def _fault_of_row(self, row, answer):
        try:
            label, found = answer["label"], answer["probabilities"]
            shares = list(found.values() if isinstance(found, dict) else found)
            if self.labels is None:
                away = abs(sum(shares) - 1)
            else:
                if label != self.labels[row]:
                    return f"text {row}: {label}, expected {self.labels[row]}"
                wanted = self.probabilities[row]
                pairs = zip(shares, wanted, strict=True)
                away = max(abs(one - other) for one, other in pairs)
        except (KeyError, TypeError, ValueError):
            return f"text {row}: not an answer: {str(answer)[:80]}"
        # Not `away > …`: a NaN is no answer either.
        return "" if away <= self.tolerance else f"text {row}: {away:.2g} away"
