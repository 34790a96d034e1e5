"""Serves an exported classifier by Ray Serve, to clients of TF Serving unchanged.

serve run serving/ray.yaml

REST and gRPC as TF Serving has them. Beside Ray it needs tensorflow-serving-api, and
tensorflow_text for a SavedModel, or the runtime of LiteRT or ONNX. What to copy
elsewhere is this file, `ray_models.py`, `ray_requests.py` and `ray.yaml`, in a folder
`serving`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from grpc import StatusCode
from ray import serve
from ray.serve.grpc_util import RayServegRPCContext
from starlette.requests import Request
from starlette.responses import JSONResponse
from tensorflow_serving.apis.classification_pb2 import (
    ClassificationRequest,
    ClassificationResponse,
)
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    SignatureDefMap,
)
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from serving import ray_requests as requests
from serving.ray_models import DEFAULT, Columns, Outputs, Settings, Version, Versions
from serving.ray_requests import Refusal

PATH = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/(\d+))?(/metadata|:predict|:classify)?"
)
# What JSON may have around the texts.
BODY_MARGIN = 65_536


@serve.deployment(logging_config={"enable_access_log": False, "log_level": "WARNING"})
class Server:
    """Answers requests with the highest version of a model.

    Args:
        settings: what is served, and the limits.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.versions = Versions(settings)

    async def __call__(self, request: Request) -> JSONResponse:
        """Answers a REST request."""
        try:
            return JSONResponse(await self._rest(request))
        except Refusal as refusal:
            status = requests.HTTP_STATUS[refusal.code]
            return JSONResponse({"error": str(refusal)}, status)
        except Exception as error:
            return JSONResponse({"error": f"The model failed: {error}"}, 500)

    async def Predict(
        self, request: PredictRequest, grpc_context: RayServegRPCContext
    ) -> PredictResponse:
        """Answers texts with the outputs of a signature."""

        async def answer() -> PredictResponse:
            signature = request.model_spec.signature_name or DEFAULT
            version = self._version_of(request.model_spec)
            columns = requests.columns_of_tensors(request)
            outputs = await self._answer(version, signature, columns)
            response = requests.tensors(outputs, request.output_filter)
            self._describe(response.model_spec, version, signature)
            return response

        return await _or_status(answer, PredictResponse(), grpc_context)

    async def Classify(
        self, request: ClassificationRequest, grpc_context: RayServegRPCContext
    ) -> ClassificationResponse:
        """Answers tf.Examples with the classes and their probabilities."""

        async def answer() -> ClassificationResponse:
            version = self._version_of(request.model_spec)
            columns = requests.columns_of_examples(request.input, _inputs(version))
            outputs = await self._answer(version, DEFAULT, columns)
            rows = requests.ranked(outputs, version.labels)
            response = requests.classifications(rows)
            self._describe(response.model_spec, version, "classify")
            return response

        return await _or_status(answer, ClassificationResponse(), grpc_context)

    async def GetModelMetadata(
        self, request: GetModelMetadataRequest, grpc_context: RayServegRPCContext
    ) -> GetModelMetadataResponse:
        """Answers with the signatures of the model."""

        async def answer() -> GetModelMetadataResponse:
            version = self._version_of(request.model_spec)
            response = GetModelMetadataResponse()
            response.metadata["signature_def"].Pack(_signatures(version))
            self._describe(response.model_spec, version, "")
            return response

        return await _or_status(answer, GetModelMetadataResponse(), grpc_context)

    async def _rest(self, request: Request) -> dict[str, Any]:
        path = request.url.path
        if path == "/healthz":
            return {"status": "ok"}
        match = PATH.fullmatch(path)
        if match is None:
            raise Refusal(f"{path} is not known.", StatusCode.NOT_FOUND)
        name, number, task = match.groups()
        # Read in any case: a client that still sends would not see the answer.
        body = await self._body(request)
        version = self._version(name, None if number is None else int(number))
        asks = "POST" if task in (":predict", ":classify") else "GET"
        if request.method != asks:
            raise Refusal(f"{path} takes {asks}. Received: {request.method}.")
        if task == "/metadata":
            return self._metadata(version)
        if task is None:
            return _status(version)
        content = requests.json_object(body)
        if task == ":classify":
            rows = content.get("examples")
            columns = requests.columns_of_rows(rows, _inputs(version), "examples")
            outputs = await self._answer(version, DEFAULT, columns)
            return {"results": requests.ranked(outputs, version.labels)}
        signature = content.get("signature_name", DEFAULT)
        columns = requests.columns_of_json(content, _inputs(version, signature))
        outputs = await self._answer(version, signature, columns)
        return requests.rows_or_columns(content, outputs)

    async def _body(self, request: Request) -> bytes:
        most = self.settings.most_bytes * self.settings.most_texts + BODY_MARGIN
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size <= most:
                parts.append(part)
        if size > most:
            raise requests.too_large(
                f"A body may have {most} bytes. Received: {size}. "
                "Send several requests."
            )
        return b"".join(parts)

    async def _answer(
        self, version: Version, signature: str, columns: Columns
    ) -> Outputs:
        requests.check_columns(columns, _inputs(version, signature), self.settings)
        return await version.answer(signature, columns)

    def _version_of(self, spec: ModelSpec) -> Version:
        number = spec.version.value if spec.HasField("version") else None
        return self._version(spec.name, number)

    def _version(self, name: str, number: int | None) -> Version:
        served = self.versions.served
        if name != self.settings.name:
            raise Refusal(
                f"`{self.settings.name}` is served. Received: the model `{name}`.",
                StatusCode.NOT_FOUND,
            )
        if number not in (None, served.number):
            raise Refusal(
                f"Version {served.number} is served. Received: version {number}.",
                StatusCode.NOT_FOUND,
            )
        return served

    def _describe(self, spec: ModelSpec, version: Version, signature: str) -> None:
        spec.name, spec.signature_name = self.settings.name, signature
        spec.version.value = version.number

    def _metadata(self, version: Version) -> dict[str, Any]:
        signatures = MessageToDict(
            _signatures(version),
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        number = str(version.number)
        spec = {"name": self.settings.name, "signature_name": "", "version": number}
        return {"model_spec": spec, "metadata": {"signature_def": signatures}}


async def _or_status(
    answer: Callable[[], Awaitable[Any]], empty: Message, context: RayServegRPCContext
) -> Any:
    """Returns the answer, or sets the status of what is wrong.

    The status is set, not raised: Ray logs what is raised, a traceback a request.
    """
    try:
        return await answer()
    except Refusal as refusal:
        code, message = refusal.code, str(refusal)
    except Exception as error:
        code, message = StatusCode.INTERNAL, f"The model failed: {error}"
    context.set_code(code)
    context.set_details(message)
    return empty


def _inputs(version: Version, signature: Any = DEFAULT) -> list[str]:
    if not isinstance(signature, str) or signature not in version.signatures:
        raise Refusal(
            f"The signature must be one of {sorted(version.signatures)}. "
            f"Received: {signature!r:.60}."
        )
    return sorted(version.signatures[signature].inputs)


def _signatures(version: Version) -> SignatureDefMap:
    return SignatureDefMap(signature_def=version.signatures)


def _status(version: Version) -> dict[str, Any]:
    status = {"error_code": "OK", "error_message": ""}
    state = {"version": str(version.number), "state": "AVAILABLE", "status": status}
    return {"model_version_status": [state]}


def application(args: dict[str, Any]) -> serve.Application:
    """Makes what Ray runs, of the `args` of the YAML file.

    Args:
        args: see `Settings`.
    """
    settings = Settings(**{**args, "folder": str(Path(args["folder"]).absolute())})
    return Server.bind(settings)
