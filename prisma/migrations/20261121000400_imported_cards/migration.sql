-- As before; but nobody can be asked to give money back to a card that was charged before the import: that is refused, and not
-- found out once it has been promised.
CREATE OR REPLACE FUNCTION request_refund(
  p_store uuid, p_order uuid, p_amount bigint, p_currency text, p_variants uuid[], p_quantities int[], p_goods text[],
  p_destination text, p_reason text, p_actor uuid, p_route text, p_key text, p_fingerprint text,
  OUT outcome text, OUT status_code int, OUT response json
) LANGUAGE plpgsql AS $$
DECLARE
  v_begun record;
  v_order orders;
  v_payment payments;
  v_store stores;
  v_lines refund_lines[];
  v_amount bigint;
  v_left bigint;
  v_refund uuid;
  v_details json;
BEGIN
  SELECT * INTO v_begun FROM idempotency_begin(p_store, p_actor::text, p_route, p_key, p_fingerprint);
  IF v_begun.outcome <> 'NEW' THEN
    outcome := v_begun.outcome;
    status_code := v_begun.status_code;
    response := v_begun.response;
    RETURN;
  END IF;
  SELECT * INTO v_order FROM orders o WHERE o.store_id = p_store AND o.id = p_order FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    outcome := 'NOT_FOUND';
    status_code := 404;
    RETURN;
  END IF;

  outcome := 'REFUNDED';
  status_code := 409;
  IF p_currency <> v_order.currency THEN
    outcome := 'CURRENCY_MISMATCH';
    status_code := 400;
  ELSIF p_destination = 'WALLET' AND v_order.customer_id IS NULL THEN
    outcome := 'REFUND_DESTINATION_NOT_ALLOWED';
    status_code := 422;
  ELSIF p_variants IS NOT NULL THEN
    SELECT array_agg(ROW(p_store, NULL, p_order, p.line_no, p.quantity, p.amount, p.goods, p.discount, p.tax)::refund_lines),
           coalesce(sum(p.amount), 0)
      INTO v_lines, v_amount
      FROM refund_pieces(v_order, p_variants, p_quantities, p_goods) p;
    v_details := missing_pieces(v_order, p_variants, p_quantities);
    IF v_details IS NOT NULL THEN
      outcome := 'REFUND_EXCEEDS_LINES';
    ELSIF v_order.status NOT IN ('SHIPPING', 'DELIVERED') AND p_goods && ARRAY['RESTOCK', 'SCRAP'] THEN
      outcome := 'REFUND_GOODS_NOT_SHIPPED';
    ELSIF 'RESTOCK' = ANY (p_goods) THEN
      PERFORM lock_refund_stock(p_store, p_variants);
    END IF;
  END IF;

  IF outcome = 'REFUNDED' THEN
    SELECT * INTO v_store FROM stores s WHERE s.id = p_store;
    SELECT * INTO STRICT v_payment FROM payments p WHERE p.store_id = p_store AND p.order_id = p_order FOR NO KEY UPDATE;
    v_left := v_payment.captured_amount - v_payment.refunded_amount - v_payment.refunding_amount;
    v_amount := coalesce(v_amount, p_amount, v_left);
    IF v_payment.provider = 'imported' AND p_destination = 'ORIGINAL' THEN
      outcome := 'REFUND_PAID_ELSEWHERE';
      status_code := 422;
    ELSIF v_amount > v_left THEN
      outcome := 'REFUND_EXCEEDS_CAPTURE';
      v_details := json_build_array(json_build_object(
        'code', outcome, 'requested', money(v_amount, v_order.currency), 'left', money(v_left, v_order.currency)
      ));
    ELSIF v_amount = 0 THEN
      outcome := 'NOTHING_TO_REFUND';
    END IF;
  END IF;
  IF outcome <> 'REFUNDED' THEN
    response := json_build_object('code', outcome, 'details', coalesce(v_details, '[]'));
    PERFORM idempotency_finish(p_store, p_actor::text, p_route, p_key, p_fingerprint, status_code, response);
    RETURN;
  END IF;

  status_code := 201;
  v_refund := open_refund(v_payment, v_amount, p_destination, p_reason, p_actor, 'REQUESTED');
  INSERT INTO refund_lines (store_id, refund_id, order_id, line_no, quantity, amount, goods, discount, tax)
  SELECT p_store, v_refund, p_order, l.line_no, l.quantity, l.amount, l.goods, l.discount, l.tax
    FROM unnest(v_lines) l;
  UPDATE order_lines o
     SET refunded_quantity = o.refunded_quantity + l.quantity
    FROM unnest(v_lines) l
   WHERE o.store_id = p_store AND o.order_id = p_order AND o.line_no = l.line_no;
  IF unapproved_refunds(v_payment) > v_store.refund_approval_threshold THEN
    PERFORM request_approval(
      p_store, 'REFUND', v_refund, v_amount, v_order.currency, p_reason,
      json_build_object('orderId', p_order, 'orderNumber', v_order.number, 'destination', p_destination), p_actor
    );
  ELSE
    PERFORM pay_refund(p_store, v_refund, p_actor);
  END IF;
  SELECT refund_document(r) INTO response FROM refunds r WHERE r.store_id = p_store AND r.id = v_refund;
  PERFORM idempotency_finish(p_store, p_actor::text, p_route, p_key, p_fingerprint, status_code, response);
END $$;
