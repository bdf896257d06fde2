"""What must not be: the right status, nothing changed, nothing leaked."""

from typing import Any

from django.contrib.admin.utils import quote
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import reverse

from rma.adapters.django.models import StoredEvent
from shop.models import Order, SentForm
from shop.tests.base import A_MUG, ShopTest, back_office, words

_PATH = "/orders/1001/return/"


class BadInputTest(ShopTest):
    """Each kind of it."""

    def refused(self, answer: Any, status: int) -> str:
        """Returns the page; it has this status, and nothing was stored."""
        assert answer.status_code == status, (answer.status_code, words(answer))
        assert not StoredEvent.objects.exists()
        assert not SentForm.objects.exists()
        page: str = answer.content.decode()
        assert "Traceback" not in page
        return page

    def test_the_order_of_another_customer_is_not_found(self) -> None:
        """As one that does not exist; the pages are the same."""
        for number in ("2001", "9999", "1001%00", "x" * 300):
            for answer in (
                self.ada.get(f"/orders/{number}/return/"),
                self.post(self.ada, f"/orders/{number}/return/", A_MUG),
            ):
                page = self.refused(answer, 404)
                assert page == self.ada.get("/nothing/").content.decode()

    def test_the_return_of_another_customer_is_not_found(self) -> None:
        """Whatever is asked of it; it stays as it was."""
        found = self.returned()
        before = StoredEvent.objects.count()

        for path in (f"/returns/{found.id}/", f"/returns/{found.id}/slip/"):
            assert self.ben.get(path).status_code == 404
        for action in ("cancel", "sent", "pay"):
            assert self.post(self.ben, f"/returns/{found.id}/{action}/", {}).status_code == 404

        assert StoredEvent.objects.count() == before

    def test_a_form_without_the_token_of_its_page_is_refused(self) -> None:
        """Also of those who are logged in: another site could have sent it."""
        ada = self.browser("ada", enforce_csrf_checks=True)

        page = self.refused(ada.post(_PATH, A_MUG), 403)

        assert "This form cannot be used" in page
        found = self.returned()
        assert ada.post(f"/returns/{found.id}/cancel/").status_code == 403
        assert (
            self.browser("cleo", enforce_csrf_checks=True).post(back_office(found, "cancel")).status_code
            == 403
        )

    def test_a_form_that_is_sent_again_is_the_same_return(self) -> None:
        """A doubled click, or a page that is loaded again."""
        first = self.post(self.ada, _PATH, A_MUG)
        count = StoredEvent.objects.count()
        second = self.post(self.ada, _PATH, A_MUG)

        assert first["Location"] == second["Location"]
        assert StoredEvent.objects.count() == count
        assert SentForm.objects.count() == 1

    def test_a_form_that_is_sent_again_with_something_else_in_it_leads_to_the_return_that_it_made(
        self,
    ) -> None:
        """With a word about it; the return stays as it was."""
        first = self.post(self.ada, _PATH, A_MUG)
        count = StoredEvent.objects.count()
        second = self.post(self.ada, _PATH, {**A_MUG, "line1-quantity": "2"}, follow=True)

        assert second.redirect_chain == [(first["Location"], 302)]
        assert "This form was sent before, with something else in it." in words(second)
        assert "To return something else, open the order again." in words(second)
        assert StoredEvent.objects.count() == count

    def test_an_expired_session_leads_to_the_login(self) -> None:
        """The form changes nothing."""
        self.ada.session.flush()

        answer = self.post(self.ada, _PATH, A_MUG)

        self.refused(answer, 302)
        assert answer["Location"] == f"/login/?next={_PATH}"

    def test_a_login_does_not_lead_to_another_site(self) -> None:
        """Neither does a change of the language."""
        client = Client()

        logged_in = client.post("/login/?next=https://evil.example/", {"username": "ada", "password": "ada"})
        changed = client.post("/language/setlang/", {"language": "de", "next": "https://evil.example/"})

        clerk = Client().post("/login/", {"username": "cleo", "password": "cleo"})

        assert logged_in["Location"] == "/"
        assert clerk["Location"] == reverse("admin:rma_storedreturn_changelist")
        assert changed["Location"] == "/"

    def test_huge_bodies_are_refused(self) -> None:
        """Before they are read as forms."""
        self.refused(self.post(self.ada, _PATH, {**A_MUG, "line1-note": "x" * 70_000}), 400)
        self.refused(self.post(self.ada, _PATH, {f"field{n}": "x" for n in range(600)}), 400)
        self.refused(self.post(self.ada, _PATH, {**A_MUG, "line1-note": "x" * 501}), 400)

    def test_malformed_bodies_are_refused(self) -> None:
        """The form is shown again, and says what is wrong."""
        for body, kind in (
            (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
            (b"--x\r\nnothing", "multipart/form-data; boundary=x"),
            (b"", "multipart/form-data"),
            (b'{"key": 1}', "application/json"),
        ):
            answer = self.ada.post(_PATH, body, content_type=kind)
            assert answer.status_code in {200, 400}, (kind, answer.status_code)
            assert not StoredEvent.objects.exists()

    def test_what_no_form_of_ours_can_hold_is_refused(self) -> None:
        """Each field by itself, whatever is in it."""
        for name, values in {
            "line1-quantity": ["-1", "1.5", "many", "9" * 50, "1e3", "٣x"],
            "line1-reason": ["", "nothing", "x" * 5000],
            "line1-note": ["\x00", "a\x00b"],
            "outcome": ["", "gold", "refund'--"],
            "way": ["", "swan"],
            "key": ["", "x" * 32, "0" * 33, "../../etc/passwd", "0" * 31 + "\n"],
            "line1-instead": ["lamp", "mug-white", "'; DROP TABLE orders"],
        }.items():
            for value in values:
                form = {**A_MUG, name: value}
                if name == "line1-instead":
                    form["outcome"] = "exchange"
                with self.subTest(name=name, value=value):
                    self.refused(self.post(self.ada, _PATH, form), 400)

    def test_a_photo_is_a_link_to_the_web_or_the_name_of_a_picture(self) -> None:
        """Nothing that a browser would run, and no file of ours."""
        for photo in (
            "javascript:alert(1)",
            " JaVaScRiPt:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "//evil.example/x.jpg",
            "../../secret.jpg",
            "x.svg",
            "https://",
            "\n".join(["mug.jpg"] * 6),
        ):
            with self.subTest(photo=photo):
                page = self.refused(self.post(self.ada, _PATH, {**A_MUG, "line1-photos": photo}), 400)
                assert f'href="{photo.strip()[:7]}' not in page

    def test_markup_is_shown_as_it_was_written(self) -> None:
        """To customers and clerks, in the form, on pages and in lists."""
        markup = "<script>alert(1)</script><img src=x onerror=alert(1)>'\"&amp;"
        again = self.post(self.ada, _PATH, {**A_MUG, "line1-note": markup, "line1-quantity": "99"})
        found = self.returned({"line1-note": markup})

        for answer in (
            again,
            self.ada.get(f"/returns/{found.id}/"),
            self.cleo.get(reverse("admin:rma_storedreturn_change", args=[quote(found.id)])),
            self.cleo.get(reverse("admin:rma_storedreturn_changelist")),
        ):
            page = answer.content.decode()
            assert "<script>alert" not in page
            assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)" in self.ada.get(f"/returns/{found.id}/").content.decode()

    def test_names_and_what_clerks_write_are_shown_as_they_are(self) -> None:
        """They may have markup in them, too."""
        User.objects.filter(username="ada").update(username="<b>ada</b>")
        found = self.returned({"line1-quantity": "0", "line3-quantity": "1", "line3-reason": "mind"})
        found = self.done(found, "decline", {"note": "<i>no</i>", "reason": "<b>worn</b>"})
        clerk = self.cleo.get(reverse("admin:rma_storedreturn_change", args=[quote(found.id)]))

        assert "&lt;i&gt;no&lt;/i&gt;" in self.ada.get(f"/returns/{found.id}/").content.decode()
        for answer in (self.ada.get(f"/returns/{found.id}/"), clerk):
            assert b"<i>no</i>" not in answer.content
            assert b"<b>ada</b>" not in answer.content

    def test_pages_answer_only_as_they_are_asked(self) -> None:
        """What changes something is posted."""
        found = self.returned()

        for action in ("cancel", "sent", "pay"):
            assert self.ada.get(f"/returns/{found.id}/{action}/").status_code == 405
        assert self.ada.delete(_PATH).status_code == 405
        assert Client().get("/webhooks/gateway/").status_code == 405
        for path in ("/", _PATH, f"/returns/{found.id}/", f"/returns/{found.id}/slip/"):
            assert self.ada.head(path).status_code == 200
            assert self.ada.put(path).status_code == 405

    def test_pages_for_what_must_not_be_are_in_the_language_of_the_reader_and_lead_back(self) -> None:
        """Also where the shop fails: that page asks for nothing."""
        ben = self.browser("ben", raise_request_exception=False, headers={"Accept-Language": "de"})
        pages = [
            (ben.get("/nothing/"), 404, "Diese Seite gibt es hier nicht."),
            (ben.post("/orders/2001/return/", {"x": "x" * 70_000}), 400, "Das kann nicht benutzt werden"),
        ]
        with override_settings(ROOT_URLCONF="shop.tests.broken"), self.assertLogs("django.request", "ERROR"):
            pages.append((ben.get("/"), 500, "Da ging etwas schief"))

        for page, status, text in pages:
            assert page.status_code == status
            assert text in words(page)
            assert '<html lang="de">' in page.content.decode()
            assert '<a class="name" href="/">Der Beispielladen</a>' in page.content.decode()

    def test_every_page_says_what_it_may_load(self) -> None:
        """No script but those of the shop's files, and no frame around it."""
        for answer in (self.ada.get("/"), self.ada.get("/nothing/"), Client().get("/login/")):
            assert "default-src 'self'" in answer["Content-Security-Policy"]
            assert "unsafe" not in answer["Content-Security-Policy"]
            assert answer["X-Frame-Options"] == "DENY"
            assert answer["X-Content-Type-Options"] == "nosniff"

    def test_an_order_of_another_number_has_other_keys(self) -> None:
        """The key of a form counts within its order: no customer can find another's return by it."""
        self.returned()
        Order.objects.filter(pk="1002").update(customer=User.objects.get(username="ben"))

        answer = self.post(self.ben, "/orders/1002/return/", {**A_MUG, "line1-reason": "defect"})

        assert answer.status_code == 302
        assert SentForm.objects.count() == 2
