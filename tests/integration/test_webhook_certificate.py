"""A certificate that is renewed while calls come in."""

import json
import ssl
import threading
from pathlib import Path

from ..unit.admission.http.doors import a_review
from .front_door import FrontDoor, front_door
from .polling import eventually
from .test_webhook import FITS, a_pod

REVIEW = json.dumps(a_review(object=a_pod(FITS))).encode()


def test_a_renewed_certificate_is_served_without_a_lost_call(tmp_path: Path) -> None:
    """New connections see the new certificate by and by; not one call is lost before, while or after."""
    with front_door(tmp_path) as door:
        stop, faults, counts = threading.Event(), list[str](), [0, 0]
        lanes = [threading.Thread(target=_calls, args=(door, stop, faults, counts, kept)) for kept in (0, 0, 1, 1)]
        for lane in lanes:
            lane.start()
        renewed = door.renew()
        is_served = eventually(lambda: door.serves() == renewed, within=30)
        # The process that served the old one goes on beside the new one for a while.
        is_alone = eventually(lambda: all(door.serves() == renewed for _ in range(8)), within=30)
        seen = list(counts)
        eventually(lambda: all(now > before + 5 for now, before in zip(counts, seen, strict=True)), within=10)
        stop.set()
        for lane in lanes:
            lane.join()
        assert (is_served, is_alone, faults) == (True, True, [])
        assert min(counts) > 5


def test_half_of_a_renewal_changes_nothing(tmp_path: Path) -> None:
    """A certificate whose key is not there yet is not served, and does not end what runs."""
    with front_door(tmp_path) as door:
        before = door.serves()
        issued = door.authority.issue_cert("localhost")
        door.certificate.write_bytes(issued.cert_chain_pems[0].bytes())
        assert eventually(lambda: "is not used" in door.log.read_text(encoding="utf-8"), within=10)
        assert door.serves() == before
        door.key.write_bytes(issued.private_key_pem.bytes())
        assert eventually(lambda: door.serves() != before, within=30)


def _calls(door: FrontDoor, stop: threading.Event, faults: list[str], counts: list[int], kept: int) -> None:
    """Calls one after the other, each on a connection of its own or, as long as the server keeps it, on one.

    A server may close a connection that it kept at any time, also when a call is on its way: such a call is sent
    again on another connection, as clients of HTTP/1.1 do.  On a new connection there is no such excuse.
    """
    connection = door.connect()
    while not stop.is_set():
        is_new = connection.sock is None
        try:
            connection.request("POST", "/validate", REVIEW)
            reply = connection.getresponse()
            assert reply.status == 200
            reply.read()
            counts[kept] += 1
        except (ConnectionError, ssl.SSLError) as error:
            connection.close()
            if is_new:
                faults.append(repr(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a lost call
            connection.close()
            faults.append(repr(error))
        if not kept:
            connection.close()
    connection.close()
