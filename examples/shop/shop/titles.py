"""What lines and products are called."""

from shop.models import Order, Product


def titles_of(order: Order) -> dict[str, str]:
    """Returns titles by the ids of the order's lines, and of the products that they can be exchanged for."""
    lines = {line.item_id: line.product for line in order.lines.all()}
    families = {product.family for product in lines.values()}
    titles = {product.sku: product.title for product in Product.objects.filter(family__in=families)}
    return titles | {item_id: product.title for item_id, product in lines.items()}
