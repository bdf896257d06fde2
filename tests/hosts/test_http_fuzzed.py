"""The HTTP example against the /openapi.json that it serves, with requests that schemathesis draws."""

from typing import Any

import pytest
import schemathesis
from attrs import frozen
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import load_all_checks, positive_data_acceptance

from tests.databases import LONG
from tests.medusa.serving import ADA, ADMIN, BOB, Shop

#: How many requests of each kind are drawn for a route.
EXAMPLES = 200 if LONG else 20

#: What a well-formed request may be answered with: done, refused by a rule, not found, a key that is used.
WELL_FORMED = {200, 400, 404, 409}

ROUTES = (
    "POST /store/returns",
    "GET /store/return-reasons",
    "GET /store/return-reasons/{id}",
    "GET /admin/returns",
    "GET /admin/returns/{id}",
    "POST /admin/returns/{id}/receive",
    "POST /admin/returns/{id}/cancel",
    "POST /admin/returns/{id}/approve",
)
#: Those with something that can be malformed: a body, or a query.
MALFORMED = (ROUTES[0], ROUTES[3], ROUTES[5], ROUTES[6])

MUG = {"item_id": "item_mug", "quantity": 1}


@frozen
class Described:
    """A running example, what it says about itself, and ids of returns that it has."""

    shop: Shop
    schema: schemathesis.BaseSchema
    return_ids: tuple[str, ...]

    def operation(self, route: str) -> Any:
        """What the document has about a route."""
        method, path = route.split()
        return self.schema[path][method]


@pytest.fixture
def described(shop: Shop) -> Described:
    """The example, with returns that were requested and one that waits for approval."""
    requests = (
        ("order_mug", "item_mug", ADA),
        ("order_shirt", "item_shirt", ADA),
        ("order_lamp", "item_lamp", BOB),
    )
    opened = [
        shop.post("/store/returns", {"order_id": order, "items": [{"item_id": item, "quantity": 1}]}, who)
        for order, item, who in requests
    ]
    load_all_checks()
    document = shop.get("/openapi.json").body
    for path in document["paths"].values():
        for operation in path.values():
            operation.pop("security", None)  # tokens are not drawn: who asks is known
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=f"http://127.0.0.1:{shop.port}")
    return Described(shop, schema, tuple([each.body["return"]["id"] for each in opened]))


def ask(route: str, case: Case[Any]) -> Response:
    """Sends the request of one who may, and holds the response to the document."""
    response = case.call(headers=ADMIN if "/admin" in route else ADA)
    case.validate_response(response, excluded_checks=[positive_data_acceptance])  # rules may refuse
    return response


def test_every_route_is_tested(described: Described) -> None:
    """The document has no other."""
    paths = described.schema.raw_schema["paths"]
    assert {f"{method.upper()} {path}" for path, item in paths.items() for method in item} == set(ROUTES)


def test_every_route_answers_as_described(described: Described) -> None:
    """Its answer to a request that can be done is what the document says."""
    mug, _, lamp = described.return_ids
    parts: dict[str, dict[str, Any]] = {
        ROUTES[0]: {"body": {"order_id": "order_mug", "items": [MUG]}},
        ROUTES[2]: {"path_parameters": {"id": "rr_size"}},
        ROUTES[4]: {"path_parameters": {"id": mug}},
        ROUTES[5]: {"path_parameters": {"id": mug}, "body": {"items": [MUG]}},
        ROUTES[6]: {"path_parameters": {"id": lamp}, "body": {}},
        ROUTES[7]: {"path_parameters": {"id": lamp}},
    }
    for route in sorted(ROUTES):  # approve comes before cancel
        operation = described.operation(route)
        media_type = {"media_type": "application/json"} if "body" in parts.get(route, {}) else {}
        assert ask(route, operation.Case(**parts.get(route, {}), **media_type)).status_code == 200, route


@pytest.mark.parametrize("route", ROUTES)
def test_a_well_formed_request_is_answered_as_described(described: Described, route: str) -> None:
    """What the document allows is done, or refused by a rule; its shape never is."""
    strategy = described.operation(route).as_strategy(generation_mode=GenerationMode.POSITIVE)

    @settings(max_examples=EXAMPLES, database=None)
    @given(case=strategy, data=st.data())
    def holds(case: Case[Any], data: st.DataObject) -> None:
        use_known_ids(case, data, described.return_ids)
        if isinstance(case.body, dict):
            case.body = without_whole_floats(case.body)
        assert ask(route, case).status_code in WELL_FORMED

    holds()


@pytest.mark.parametrize("route", MALFORMED)
def test_a_malformed_request_is_refused_as_described(described: Described, route: str) -> None:
    """What the document does not allow changes nothing."""
    strategy = described.operation(route).as_strategy(generation_mode=GenerationMode.NEGATIVE)
    before = described.shop.stored()

    @settings(max_examples=EXAMPLES, database=None)
    @given(case=strategy, data=st.data())
    def holds(case: Case[Any], data: st.DataObject) -> None:
        if "id" in case.path_parameters and data.draw(st.booleans()):
            case.path_parameters["id"] = data.draw(st.sampled_from(described.return_ids))
        # an empty list would not be sent at all
        case.query = {
            name: each if isinstance(each, str | int) else str(each) for name, each in case.query.items()
        }
        # nothing but the id that was replaced may have been malformed
        assume(case.meta is not None and case.meta.generation.mode is GenerationMode.NEGATIVE)
        assert ask(route, case).status_code != 200

    holds()
    assert described.shop.stored() == before


def use_known_ids(case: Case[Any], data: st.DataObject, return_ids: tuple[str, ...]) -> None:
    """Puts ids that exist in the place of some: those that are drawn are of nothing."""
    known: dict[str, list[object]] = {
        "order_id": ["order_mug", "order_tea"],
        "item_id": ["item_mug", "item_shirt"],
        "quantity": [1],
    }
    if "id" in case.path_parameters and data.draw(st.booleans()):
        case.path_parameters["id"] = data.draw(st.sampled_from([*return_ids, "rr_size"]))
    if not isinstance(case.body, dict):
        return
    body: dict[str, Any] = case.body
    for part in [body, *body.get("items", [])]:
        for name in sorted(part.keys() & known.keys()):
            if data.draw(st.booleans()):
                part[name] = data.draw(st.sampled_from(known[name]))


def without_whole_floats(value: Any) -> Any:
    """The same with 2 for 2.0, which is an integer to a JSON Schema and is none to the example."""
    match value:
        case dict():
            return {name: without_whole_floats(each) for name, each in value.items()}
        case list():
            return [without_whole_floats(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
