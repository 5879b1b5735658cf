"""The sample companies' systems answer as systems do, go wrong when told to, and note every request."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from local_stack.samples.calendar_book import CalendarBook
from local_stack.samples.catalogue import UnknownSample, sample_agent, sample_agents
from local_stack.samples.order_book import OrderBook
from local_stack.samples.service import SampleServices
from shared.adapters.pydantic.agent_documents import PydanticAgentDocuments
from shared.domain.agents.consistency import faults_of


@pytest.fixture
async def services() -> AsyncIterator[SampleServices]:
    running = SampleServices()
    await running.start()
    yield running
    await running.stop()


@pytest.mark.parametrize("written", ["A1234", "a 1234", "A-1234"])
def test_an_order_is_found_however_its_number_is_written(written: str) -> None:
    status, order = OrderBook().look_up(written)
    assert (status, order["number"], order["status"]) == (200, "A1234", "on its way")


def test_only_what_is_in_the_house_can_be_cancelled_and_only_once() -> None:
    book = OrderBook()
    assert [book.cancel(number)[0] for number in ("B5678", "B5678", "A1234", "X1")] == [200, 200, 409, 404]


def test_a_time_belongs_to_whoever_books_it_first() -> None:
    book = CalendarBook()
    booked = [book.book("2027-07-07", "09:00", patient)[0] for patient in ("Ida", "Ida", "Ole")]
    assert booked == [201, 201, 409]
    assert "09:00" not in book.free("2027-07-07")[1]["free"]


@pytest.mark.parametrize(
    ("day", "time", "status"), [("2027-07-04", "09:00", 409), ("7 July", "09:00", 400), ("2027-07-07", "3:00", 400)]
)
def test_what_cannot_be_booked_is_refused(day: str, time: str, status: int) -> None:
    assert CalendarBook().book(day, time, "Ida")[0] == status


async def test_every_request_is_noted_with_its_arguments(services: SampleServices) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{services.url}/orders/A1234") as response:
            assert (await response.json())["arrives"] == "tomorrow before noon"
        booking = {"date": "2027-07-07", "time": "09:00", "patient": "Ida"}
        async with session.post(f"{services.url}/calendar/appointments", json=booking) as response:
            assert response.status == 201
        async with session.get(f"{services.url}/journal") as response:
            journal = (await response.json())["journal"]
    assert [(entry["name"], entry["arguments"], entry["status"]) for entry in journal] == [
        ("look_up_order", {"number": "A1234"}, 200),
        ("book_appointment", booking, 201),
    ]


async def test_a_system_is_out_of_order_when_told_so_and_as_new_afterwards(services: SampleServices) -> None:
    services.begin({"look_up_order": 503})
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{services.url}/orders/A1234") as response:
            assert response.status == 503
        assert services.journal[0]["status"] == 503
        services.begin({})
        async with session.get(f"{services.url}/orders/A1234") as response:
            assert response.status == 200
    assert len(services.journal) == 1


@pytest.mark.parametrize("name", sample_agents())
def test_what_ships_can_be_published(name: str) -> None:
    document = json.dumps(sample_agent(name)).replace("${SAMPLES_URL}", "http://127.0.0.1:7090")
    agent = PydanticAgentDocuments().read(json.loads(document))
    assert faults_of(agent) == []
    assert all(intent.examples for intent in agent.intents)
    assert agent.knowledge.collections
    assert agent.after_call.analyses
    assert agent.after_call.extract["required"]


def test_the_samples_show_what_agents_can_do() -> None:
    agents = {name: sample_agent(name) for name in sample_agents()}
    assert [step["name"] for step in agents["clinic"]["flow"]["steps"]] == ["find_out", "book"]
    slots = {
        slot["kind"] for agent in agents.values() for intent in agent["intents"] for slot in intent.get("slots", ())
    }
    assert slots >= {"date", "time", "person_name", "spelled", "phone_number"}
    effects = {tool["name"]: tool["effect"] for tool in agents["orders"]["tools"]["http"]}
    assert effects == {"look_up_order": "reads", "cancel_order": "irreversible"}
    (transfer,) = [tool for tool in agents["orders"]["tools"]["built_in"] if tool["name"] == "transfer"]
    assert transfer["kind"] == "warm"
    assert agents["helpline"]["manner"]["languages"] == ["en", "hi"]


def test_an_agent_that_there_is_not_is_said_with_those_that_there_are() -> None:
    with pytest.raises(UnknownSample, match="clinic, helpline, orders"):
        sample_agent("nobody")
