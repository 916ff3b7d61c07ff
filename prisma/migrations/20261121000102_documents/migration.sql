-- How a row looks to an API client, in one place: the placing function answers with it, reads answer with it.

-- STABLE, as what it calls is: only so can the planner put its body in place of the call.
CREATE FUNCTION money(amount bigint, currency text) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT json_build_object('amount', amount, 'currency', currency)
$$;

-- ISO 8601 in UTC with milliseconds, whatever the session's time zone.
CREATE FUNCTION iso_time(t timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- Order and payment as their customer and the staff see them; the delivery code only when asked for.
CREATE FUNCTION order_document(o orders, with_code boolean) RETURNS json
LANGUAGE plpgsql STABLE AS $$
DECLARE
  lines json;
  payment json;
BEGIN
  SELECT json_agg(json_build_object(
           'variantId', l.variant_id, 'sku', l.sku, 'name', l.name, 'quantity', l.quantity,
           'unitPrice', money(l.unit_price, o.currency), 'total', money(l.total, o.currency)
         ) ORDER BY l.line_no)
    INTO lines
    FROM order_lines l
   WHERE l.store_id = o.store_id AND l.order_id = o.id;
  SELECT json_build_object(
           'id', p.id, 'method', p.method, 'status', p.status, 'amount', money(p.amount, p.currency),
           'captured', money(p.captured_amount, p.currency), 'refunded', money(p.refunded_amount, p.currency)
         )
    INTO payment
    FROM payments p
   WHERE p.store_id = o.store_id AND p.order_id = o.id;
  RETURN json_build_object(
    'id', o.id, 'number', o.number, 'customerId', o.customer_id, 'status', o.status, 'version', o.version, 'lines', lines,
    'subtotal', money(o.subtotal, o.currency), 'discount', money(o.discount, o.currency),
    'deliveryFee', money(o.delivery_fee, o.currency), 'tax', money(o.tax, o.currency),
    'total', money(o.total, o.currency), 'payment', payment, 'deliveryAddress', o.delivery_address,
    'deliveryCode', CASE WHEN with_code THEN o.delivery_code END, 'note', o.note,
    'placedAt', iso_time(o.placed_at), 'promisedAt', iso_time(o.promised_at), 'updatedAt', iso_time(o.updated_at)
  );
END $$;

-- RFC 9562: 48 bits of milliseconds, then random. uuidv7() is only in PostgreSQL 18 and later.
CREATE FUNCTION uuid_v7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
  SELECT encode(
    set_bit(
      set_bit(
        overlay(uuid_send(gen_random_uuid())
                PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                FROM 1 FOR 6),
        52, 1),
      53, 1),
    'hex')::uuid
$$;
