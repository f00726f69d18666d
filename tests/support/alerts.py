"""Where alerts go to: a mail server and a webhook of Slack's that are really there."""

import email
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from tests.support.ports import reserved_ports

TOKEN = "T000/B000/webhook-token-that-is-secret"


@dataclass
class Told:
    """What has arrived."""

    mails: list[Message] = field(default_factory=list)
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    slack_is_down: bool = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(email.message_from_bytes(envelope.content))
        return "250 OK"

    def html(self) -> str:
        [mail] = self.mails
        [part] = [part for part in mail.walk() if part.get_content_type() == "text/html"]
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        return payload.decode()


@contextmanager
def receivers() -> Iterator[tuple[Told, dict[str, str]]]:
    """Both, and the environment of an Airflow that is configured to tell them."""
    told = Told()

    with reserved_ports(1) as [port]:

        class Webhook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.posts.append((self.path, body))
                self.send_response(500 if told.slack_is_down else 200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *said: Any) -> None:
                pass

        webhook = HTTPServer(("127.0.0.1", 0), Webhook)
        threading.Thread(target=webhook.serve_forever, daemon=True).start()
        mail_server = Controller(told, hostname="127.0.0.1", port=port)
        mail_server.start()
        smtp = (
            f"smtp://127.0.0.1:{mail_server.port}/?disable_ssl=true&disable_tls=true&from_email=airflow%40example.com"
        )
        slack = {"conn_type": "slackwebhook", "host": f"http://127.0.0.1:{webhook.server_port}", "password": TOKEN}
        environment = {
            "AIRFLOW__XERO__ALERT_EMAIL": "day@example.com, night@example.com",
            "AIRFLOW__XERO__ALERT_SLACK_CONN_ID": "slack_alerts",
            "AIRFLOW__XERO__ALERT_DEADLINE_MINUTES": "45",
            "AIRFLOW_CONN_SMTP_DEFAULT": smtp,
            "AIRFLOW_CONN_SLACK_ALERTS": json.dumps(slack),
        }
        yield told, environment
        mail_server.stop()
        webhook.shutdown()
