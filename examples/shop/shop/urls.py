"""Where the pages are."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from shop.views import ask, customer, webhook

admin.site.site_header = admin.site.site_title = "The Sample Shop"

urlpatterns = [
    path("", customer.orders, name="orders"),
    path("orders/<slug:number>/return/", ask.ask, name="ask"),
    path("returns/<slug:return_id>/", customer.show, name="return"),
    path("returns/<slug:return_id>/slip/", customer.slip, name="slip"),
    path("returns/<slug:return_id>/cancel/", customer.cancel, name="cancel"),
    path("returns/<slug:return_id>/sent/", customer.sent, name="sent"),
    path("returns/<slug:return_id>/pay/", customer.pay, name="pay"),
    path("admin/", admin.site.urls),
    path("webhooks/gateway/", webhook.gateway, name="gateway"),
    path("login/", customer.Login.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", include("django.conf.urls.i18n")),
]
