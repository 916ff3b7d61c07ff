-- Refunds, whole or in part, by amount or by line. docs/refunds.md has the rules.

ALTER TABLE refund_lines
  ADD COLUMN discount BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN tax BIGINT NOT NULL DEFAULT 0;
ALTER TABLE refund_lines
  ADD CONSTRAINT refund_lines_parts_check CHECK (discount >= 0 AND tax >= 0);
UPDATE refunds SET finished_at = created_at WHERE status IN ('SUCCEEDED', 'FAILED', 'REJECTED');
ALTER TABLE refunds
  ADD CONSTRAINT refunds_finished_check CHECK ((finished_at IS NULL) = (status IN ('REQUESTED', 'APPROVED', 'PROCESSING')));

CREATE FUNCTION refund_document(r refunds) RETURNS json LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_payment payments;
  v_approval uuid;
  v_lines json;
BEGIN
  SELECT * INTO v_payment FROM payments p WHERE p.store_id = r.store_id AND p.id = r.payment_id;
  SELECT a.id INTO v_approval
    FROM approvals a
   WHERE a.store_id = r.store_id AND a.kind = 'REFUND' AND a.subject_id = r.id;
  SELECT json_agg(json_build_object(
           'lineNo', l.line_no, 'variantId', o.variant_id, 'name', o.name, 'quantity', l.quantity,
           'amount', money(l.amount, v_payment.currency), 'tax', money(l.tax, v_payment.currency), 'goods', l.goods
         ) ORDER BY l.line_no)
    INTO v_lines
    FROM refund_lines l
    JOIN order_lines o ON o.store_id = l.store_id AND o.order_id = l.order_id AND o.line_no = l.line_no
   WHERE l.store_id = r.store_id AND l.refund_id = r.id;
  RETURN json_build_object(
    'id', r.id, 'orderId', v_payment.order_id, 'paymentId', r.payment_id, 'amount', money(r.amount, v_payment.currency),
    'destination', r.destination, 'status', r.status, 'reason', r.reason, 'lines', coalesce(v_lines, '[]'),
    'approvalId', v_approval, 'requestedBy', r.actor_id, 'createdAt', iso_time(r.created_at),
    'finishedAt', iso_time(r.finished_at)
  );
END $$;

-- What pieces have of an amount that is left for all pieces left of a line (its discount, its tax), rounded half up. Taken from
-- what is left each time, shares add up to the whole in any number of steps, and also when refunds in between came to nothing.
-- It never makes a piece cheaper than free: what is left of the discount is never more than what the pieces left cost.
CREATE FUNCTION share_of_left(p_left bigint, p_pieces bigint, p_pieces_left bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN div(2 * p_left::numeric * p_pieces + p_pieces_left, 2 * p_pieces_left);
END $$;

-- Pieces of an order by variant, the earlier lines first: which lines they are of, and what they come to. A piece's price
-- less its share of the line's discount, plus that of its tax where prices don't contain it. The caller holds the order's row.
CREATE FUNCTION refund_pieces(o orders, p_variants uuid[], p_quantities int[], p_goods text[])
RETURNS TABLE (line_no smallint, quantity int, amount bigint, discount bigint, tax bigint, goods text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY
  SELECT s.line_no, s.pieces::int,
         s.pieces * s.unit_price - s.discount + CASE WHEN o.tax_inclusive THEN 0 ELSE s.tax END,
         s.discount, s.tax, s.goods
    FROM (
      SELECT l.line_no, l.goods, l.unit_price, taken.pieces,
             share_of_left(l.discount - given.discount, taken.pieces, l.free) AS discount,
             share_of_left(l.tax - given.tax, taken.pieces, l.free) AS tax
        FROM (
          SELECT k.*, w.quantity AS wanted, w.goods, k.quantity - k.refunded_quantity AS free,
                 sum(k.quantity - k.refunded_quantity) OVER (PARTITION BY k.variant_id ORDER BY k.line_no) AS free_so_far
            FROM unnest(p_variants, p_quantities, p_goods) AS w (variant_id, quantity, goods)
            JOIN order_lines k ON k.store_id = o.store_id AND k.order_id = o.id AND k.variant_id = w.variant_id
        ) l
       CROSS JOIN LATERAL (
         SELECT least(l.free, greatest(0, l.wanted - (l.free_so_far - l.free))) AS pieces
       ) taken
       CROSS JOIN LATERAL (
         SELECT coalesce(sum(g.discount), 0)::bigint AS discount, coalesce(sum(g.tax), 0)::bigint AS tax
           FROM refund_lines g
           JOIN refunds r ON r.store_id = g.store_id AND r.id = g.refund_id
          WHERE g.store_id = o.store_id AND g.order_id = o.id AND g.line_no = l.line_no
            AND r.status NOT IN ('FAILED', 'REJECTED')
       ) given
       WHERE taken.pieces > 0
    ) s
   ORDER BY s.line_no;
END $$;

-- Locks the stock of what comes back, in the order of variant ids, as placing an order does.
CREATE FUNCTION lock_refund_stock(p_store uuid, p_variants uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1
     FROM stock_levels s
    WHERE s.store_id = p_store AND s.variant_id = ANY (p_variants)
    ORDER BY s.variant_id
      FOR NO KEY UPDATE;
END $$;

-- Goods of a refund: RESTOCK lie on the shelf again, SCRAP came back and were thrown away. Locks stock by variant id.
CREATE FUNCTION take_goods_back(p_refund refunds, p_order uuid, p_actor uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_variants uuid[];
  v_restocked bigint[];
  v_scrapped bigint[];
BEGIN
  SELECT array_agg(b.variant_id), array_agg(b.restocked), array_agg(b.scrapped)
    INTO v_variants, v_restocked, v_scrapped
    FROM (
      SELECT l.variant_id,
             coalesce(sum(r.quantity) FILTER (WHERE r.goods = 'RESTOCK'), 0) AS restocked,
             coalesce(sum(r.quantity) FILTER (WHERE r.goods = 'SCRAP'), 0) AS scrapped
        FROM refund_lines r
        JOIN order_lines l ON l.store_id = r.store_id AND l.order_id = r.order_id AND l.line_no = r.line_no
       WHERE r.store_id = p_refund.store_id AND r.refund_id = p_refund.id AND r.goods <> 'KEEP'
       GROUP BY l.variant_id
    ) b;
  IF v_variants IS NULL THEN
    RETURN;
  END IF;
  PERFORM lock_refund_stock(p_refund.store_id, v_variants);
  UPDATE stock_levels s
     SET on_hand = s.on_hand + b.restocked
    FROM unnest(v_variants, v_restocked) AS b (variant_id, restocked)
   WHERE s.store_id = p_refund.store_id AND s.variant_id = b.variant_id AND b.restocked > 0;
  INSERT INTO stock_movements (store_id, variant_id, delta, reason, order_id, actor_id)
  SELECT p_refund.store_id, b.variant_id, m.delta, m.reason, p_order, p_actor
    FROM unnest(v_variants, v_restocked, v_scrapped) AS b (variant_id, restocked, scrapped)
   CROSS JOIN LATERAL (VALUES (1, b.restocked + b.scrapped, 'RETURN'), (2, -b.scrapped, 'DAMAGE')) AS m (step, delta, reason)
   WHERE m.delta <> 0
   ORDER BY b.variant_id, m.step;
END $$;

-- Splits an amount over weights of either sign, which add up to at least the amount, by largest remainder: parts add up to the
-- amount, each is within one minor unit of its share, and all of it is the weights themselves.
CREATE FUNCTION split_over_sale(p_amount bigint, p_weights bigint[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_total numeric := (SELECT sum(w) FROM unnest(p_weights) AS w);
BEGIN
  RETURN (
    SELECT array_agg(p.whole + CASE WHEN p.rank <= p_amount - p.given THEN 1 ELSE 0 END ORDER BY p.position)
      FROM (
        SELECT s.position, s.whole, sum(s.whole) OVER () AS given,
               row_number() OVER (ORDER BY s.share - s.whole * v_total DESC, s.position) AS rank
          FROM (
            SELECT w.position, p_amount * w.weight::numeric AS share,
                   -- Rounded down also below zero, where div() rounds up.
                   (div(p_amount * w.weight::numeric, v_total)
                     - CASE WHEN mod(p_amount * w.weight::numeric, v_total) < 0 THEN 1 ELSE 0 END)::bigint AS whole
              FROM unnest(p_weights) WITH ORDINALITY AS w (weight, position)
          ) s
      ) p
  );
END $$;

-- What a sale is for, by wallet: delivery fees, promotions, sales, taxes, in this order.
CREATE FUNCTION sale_wallets(o orders) RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN ARRAY[
    wallet_of(o.store_id, 'DELIVERY_FEES', o.store_id, o.currency), wallet_of(o.store_id, 'PROMOTIONS', o.store_id, o.currency),
    wallet_of(o.store_id, 'SALES', o.store_id, o.currency), wallet_of(o.store_id, 'TAXES', o.store_id, o.currency)
  ];
END $$;

-- What an order's sale still is on the ledger, refunds taken off, by sale_wallets().
-- Each look-up is by its key, whatever the statistics say: see price_order().
CREATE FUNCTION sale_left(o orders, p_wallets uuid[]) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT ARRAY[
             coalesce(sum(e.amount) FILTER (WHERE e.wallet_id = p_wallets[1]), 0),
             coalesce(sum(e.amount) FILTER (WHERE e.wallet_id = p_wallets[2]), 0),
             coalesce(sum(e.amount) FILTER (WHERE e.wallet_id = p_wallets[3]), 0),
             coalesce(sum(e.amount) FILTER (WHERE e.wallet_id = p_wallets[4]), 0)
           ]::bigint[]
      FROM (
        SELECT 'SALE' AS type, o.id::text AS reference
         UNION ALL
        SELECT 'RECEIVABLE_CANCELLED', o.id::text
         UNION ALL
        SELECT 'SALE_REFUND', r.id::text
          FROM payments p
          JOIN refunds r ON r.store_id = p.store_id AND r.payment_id = p.id
         WHERE p.store_id = o.store_id AND p.order_id = o.id AND r.status = 'SUCCEEDED'
      ) fact
     CROSS JOIN LATERAL (
       SELECT l.id
         FROM ledger_transactions l
        WHERE l.store_id = o.store_id AND l.type = fact.type AND l.reference = fact.reference
       OFFSET 0
     ) t
     CROSS JOIN LATERAL (
       SELECT n.wallet_id, n.amount
         FROM ledger_entries n
        WHERE n.store_id = o.store_id AND n.transaction_id = t.id
       OFFSET 0
     ) e
  );
END $$;

-- Takes part of a sale back: money to a wallet, out of what the sale was for. p_parts by sale_wallets(), or NULL: by shares of
-- what is left, so that the last cent takes all that is left of each, whatever the steps before it.
CREATE FUNCTION post_reversal(
  o orders, p_type text, p_reference text, p_actor uuid, p_memo text, p_money uuid, p_amount bigint, p_parts bigint[]
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  v_wallets uuid[] := sale_wallets(o);
  v_left bigint[] := sale_left(o, v_wallets);
  v_parts bigint[] := p_parts;
BEGIN
  IF v_parts IS NULL OR p_amount = v_left[1] + v_left[2] + v_left[3] + v_left[4] THEN
    v_parts := split_over_sale(p_amount, v_left);
  END IF;
  RETURN ledger_post(
    o.store_id, p_type, p_reference, p_actor, p_memo, o.currency,
    p_money || v_wallets, ARRAY[p_amount, -v_parts[1], -v_parts[2], -v_parts[3], -v_parts[4]]
  );
END $$;

CREATE FUNCTION tell_refund(r refunds, p_order uuid, p_currency text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO outbox_events (store_id, aggregate_type, aggregate_id, type, payload)
  VALUES (
    r.store_id, 'refund', r.id, 'refund.' || lower(r.status),
    json_build_object(
      'refundId', r.id, 'orderId', p_order, 'paymentId', r.payment_id, 'amount', money(r.amount, p_currency),
      'destination', r.destination, 'requestedBy', r.actor_id
    )
  );
END $$;

-- The order of a refund, its row held.
CREATE FUNCTION lock_refund_order(p_store uuid, p_refund uuid) RETURNS orders LANGUAGE plpgsql AS $$
DECLARE
  v_order orders;
BEGIN
  SELECT o.* INTO v_order
    FROM orders o
   WHERE o.store_id = p_store AND o.id = (
     SELECT p.order_id
       FROM refunds r
       JOIN payments p ON p.store_id = r.store_id AND p.id = r.payment_id
      WHERE r.store_id = p_store AND r.id = p_refund
   )
     FOR NO KEY UPDATE;
  RETURN v_order;
END $$;

-- The money of a refund has gone out: what was promised is paid, goods are back, the ledger knows. Once; false afterwards.
-- Locks the order, stock by variant id, the payment, the customer's wallet.
CREATE FUNCTION settle_refund(p_store uuid, p_refund uuid, p_actor uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_order orders := lock_refund_order(p_store, p_refund);
  v_refund refunds;
  v_payment payments;
  v_money uuid;
  v_parts bigint[];
BEGIN
  UPDATE refunds r
     SET status = 'SUCCEEDED', finished_at = now()
   WHERE r.store_id = p_store AND r.id = p_refund AND r.status IN ('REQUESTED', 'PROCESSING')
  RETURNING * INTO v_refund;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM take_goods_back(v_refund, v_order.id, p_actor);
  UPDATE payments p
     SET refunding_amount = p.refunding_amount - v_refund.amount,
         refunded_amount = p.refunded_amount + v_refund.amount,
         status = CASE WHEN p.refunded_amount + v_refund.amount = p.captured_amount THEN 'REFUNDED'
                       ELSE 'PARTIALLY_REFUNDED' END,
         updated_at = now()
   WHERE p.store_id = p_store AND p.id = v_refund.payment_id
  RETURNING * INTO v_payment;
  v_money := CASE
    WHEN v_refund.destination = 'WALLET' OR v_payment.method = 'WALLET'
      THEN wallet_of(p_store, 'CUSTOMER', v_order.customer_id, v_payment.currency)
    WHEN v_payment.method = 'COD' THEN wallet_of(p_store, 'CASH_VAULT', p_store, v_payment.currency)
    ELSE wallet_of(p_store, 'PSP_CLEARING', p_store, v_payment.currency)
  END;
  SELECT ARRAY[0, -sum(l.discount), sum(l.amount + l.discount - l.tax), sum(l.tax)]::bigint[]
    INTO v_parts
    FROM refund_lines l
   WHERE l.store_id = p_store AND l.refund_id = p_refund
  HAVING count(*) > 0;
  PERFORM post_reversal(
    v_order, 'SALE_REFUND', p_refund::text, p_actor, v_refund.reason, v_money, v_refund.amount, v_parts
  );
  PERFORM tell_refund(v_refund, v_order.id, v_payment.currency);
  RETURN true;
END $$;

-- Pays a refund that is allowed: at once where the money is the store's own to move; a card's by an operation, written here,
-- that the provider is asked for once this has been committed.
CREATE FUNCTION pay_refund(p_store uuid, p_refund uuid, p_actor uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_operation uuid := uuid_v7();
  v_refund refunds;
  v_method text;
BEGIN
  SELECT r.* INTO v_refund FROM refunds r WHERE r.store_id = p_store AND r.id = p_refund;
  SELECT p.method INTO v_method FROM payments p WHERE p.store_id = p_store AND p.id = v_refund.payment_id;
  IF v_method <> 'CARD' OR v_refund.destination = 'WALLET' THEN
    PERFORM settle_refund(p_store, p_refund, p_actor);
    RETURN;
  END IF;
  UPDATE refunds r
     SET status = 'PROCESSING'
   WHERE r.store_id = p_store AND r.id = p_refund AND r.status IN ('REQUESTED', 'PROCESSING');
  IF FOUND THEN
    INSERT INTO payment_operations (store_id, id, payment_id, refund_id, kind, amount)
    VALUES (p_store, v_operation, v_refund.payment_id, p_refund, 'REFUND', v_refund.amount);
    PERFORM enqueue_job(p_store, 'payments.operate', json_build_object('operationId', v_operation), NULL, v_operation::text);
  END IF;
END $$;

-- Reserves money of a payment for a refund: refunded + refunding <= captured, by CHECK. The caller holds the order's row.
CREATE FUNCTION open_refund(
  p_payment payments, p_amount bigint, p_destination text, p_reason text, p_actor uuid, p_status text
) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  v_id uuid := uuid_v7();
BEGIN
  UPDATE payments p
     SET refunding_amount = p.refunding_amount + p_amount, updated_at = now()
   WHERE p.store_id = p_payment.store_id AND p.id = p_payment.id;
  INSERT INTO refunds (store_id, id, payment_id, amount, destination, status, reason, actor_id)
  VALUES (p_payment.store_id, v_id, p_payment.id, p_amount, p_destination, p_status, p_reason, p_actor);
  RETURN v_id;
END $$;

-- An order that ended: everything of its payment that is neither given back nor on its way goes back the way it came; cash of
-- a customer goes to his wallet. What he still owes for the parcel is owed no more. Nothing to do: nothing happens.
-- Locks the order, the payment, the customer's wallet.
CREATE FUNCTION refund_rest(p_store uuid, p_order uuid, p_actor uuid, p_reason text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_order orders;
  v_payment payments;
  v_left bigint;
  v_owed bigint;
BEGIN
  SELECT * INTO v_order FROM orders o WHERE o.store_id = p_store AND o.id = p_order FOR NO KEY UPDATE;
  SELECT * INTO v_payment
    FROM payments p
   WHERE p.store_id = p_store AND p.order_id = p_order AND p.status IN ('CAPTURED', 'PARTIALLY_REFUNDED')
     FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  v_left := v_payment.captured_amount - v_payment.refunded_amount - v_payment.refunding_amount;
  v_owed := CASE v_payment.method WHEN 'COD' THEN v_payment.amount - v_payment.captured_amount ELSE 0 END;
  IF v_left > 0 THEN
    PERFORM pay_refund(
      p_store,
      open_refund(
        v_payment, v_left,
        CASE WHEN v_payment.method = 'COD' AND v_order.customer_id IS NOT NULL THEN 'WALLET' ELSE 'ORIGINAL' END,
        p_reason, p_actor, 'PROCESSING'
      ),
      p_actor
    );
  ELSIF v_payment.refunding_amount = 0 THEN
    UPDATE payments p SET status = 'REFUNDED', updated_at = now() WHERE p.store_id = p_store AND p.id = v_payment.id;
  END IF;
  IF v_owed > 0 AND NOT EXISTS (
    SELECT 1
      FROM ledger_transactions t
     WHERE t.store_id = p_store AND t.type = 'RECEIVABLE_CANCELLED' AND t.reference = p_order::text
  ) THEN
    PERFORM post_reversal(
      v_order, 'RECEIVABLE_CANCELLED', p_order::text, p_actor, p_reason,
      wallet_of(p_store, 'RECEIVABLES', p_store, v_payment.currency), v_owed, NULL
    );
  END IF;
END $$;

-- A refund comes to nothing (FAILED, REJECTED): its money and its pieces are free again. Once; false afterwards.
-- Where the whole order came back meanwhile, so did these pieces; and of an order that ended a refund can't be refused.
-- Locks the order, stock by variant id, the payment.
CREATE FUNCTION release_refund(p_store uuid, p_refund uuid, p_status text, p_actor uuid) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  v_order orders := lock_refund_order(p_store, p_refund);
  v_refund refunds;
BEGIN
  UPDATE refunds r
     SET status = p_status, finished_at = now()
   WHERE r.store_id = p_store AND r.id = p_refund AND r.status IN ('REQUESTED', 'PROCESSING')
  RETURNING * INTO v_refund;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE order_lines l
     SET refunded_quantity = l.refunded_quantity - r.quantity
    FROM refund_lines r
   WHERE r.store_id = p_store AND r.refund_id = p_refund
     AND l.store_id = r.store_id AND l.order_id = r.order_id AND l.line_no = r.line_no;
  IF v_order.status = 'RETURNED' THEN
    PERFORM restock_pieces(p_store, v_order.id, p_refund, p_actor);
  END IF;
  UPDATE payments p
     SET refunding_amount = p.refunding_amount - v_refund.amount, updated_at = now()
   WHERE p.store_id = p_store AND p.id = v_refund.payment_id;
  PERFORM tell_refund(v_refund, v_order.id, v_order.currency);
  IF p_status = 'REJECTED' AND v_order.status IN ('CANCELLED', 'RETURNED', 'EXPIRED') THEN
    PERFORM refund_rest(p_store, v_order.id, p_actor, 'order ' || lower(v_order.status));
  END IF;
  RETURN true;
END $$;

-- Pieces of a refund that came to nothing, of an order that came back: they lie on the shelf like the rest of it.
CREATE FUNCTION restock_pieces(p_store uuid, p_order uuid, p_refund uuid, p_actor uuid) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_variants uuid[];
  v_pieces bigint[];
BEGIN
  SELECT array_agg(b.variant_id), array_agg(b.pieces)
    INTO v_variants, v_pieces
    FROM (
      SELECT l.variant_id, sum(r.quantity) AS pieces
        FROM refund_lines r
        JOIN order_lines l ON l.store_id = r.store_id AND l.order_id = r.order_id AND l.line_no = r.line_no
       WHERE r.store_id = p_store AND r.refund_id = p_refund
       GROUP BY l.variant_id
    ) b;
  PERFORM lock_refund_stock(p_store, v_variants);
  UPDATE stock_levels s
     SET on_hand = s.on_hand + b.pieces
    FROM unnest(v_variants, v_pieces) AS b (variant_id, pieces)
   WHERE s.store_id = p_store AND s.variant_id = b.variant_id;
  INSERT INTO stock_movements (store_id, variant_id, delta, reason, order_id, actor_id)
  SELECT p_store, b.variant_id, b.pieces, 'RETURN', p_order, p_actor
    FROM unnest(v_variants, v_pieces) AS b (variant_id, pieces);
END $$;

-- Asks for a refund: by lines (variants, quantities, goods), by amount, or of all that is left (both NULL). In one statement,
-- so that many at once on one payment wait for one fsync each. Above the store's threshold, counted over all refunds of the
-- payment that nobody approved, it waits for approval; else it is paid here and now, or by the card's provider after it.
-- outcome: REFUNDED, REPLAY, REUSED, RUNNING, or the code of the refusal, whose details are in response.
-- Locks the order, stock by variant id, the payment, the customer's wallet.
CREATE FUNCTION request_refund(
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
    IF v_amount > v_left THEN
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

-- Variants of which an order has fewer pieces than are asked for, those refunded taken off; NULL where it has enough.
-- An order that has ended has none: it is refunded by amount.
CREATE FUNCTION missing_pieces(o orders, p_variants uuid[], p_quantities int[]) RETURNS json LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT json_agg(json_build_object(
             'code', 'REFUND_EXCEEDS_LINES', 'variantId', w.variant_id, 'requested', w.quantity, 'left', free.pieces
           ))
      FROM unnest(p_variants, p_quantities) AS w (variant_id, quantity)
     CROSS JOIN LATERAL (
       SELECT coalesce(sum(l.quantity - l.refunded_quantity), 0) AS pieces
         FROM order_lines l
        WHERE l.store_id = o.store_id AND l.order_id = o.id AND l.variant_id = w.variant_id
          AND o.status NOT IN ('CANCELLED', 'RETURNED', 'EXPIRED')
     ) free
     WHERE free.pieces < w.quantity
  );
END $$;

-- What was refunded of a payment, or is about to be, on one person's word. Else a large refund would pass in small pieces.
CREATE FUNCTION unapproved_refunds(p_payment payments) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN (
    SELECT coalesce(sum(r.amount), 0)
      FROM refunds r
     WHERE r.store_id = p_payment.store_id AND r.payment_id = p_payment.id AND r.status NOT IN ('FAILED', 'REJECTED')
       AND NOT EXISTS (
         SELECT 1
           FROM approvals a
          WHERE a.store_id = r.store_id AND a.kind = 'REFUND' AND a.subject_id = r.id
       )
  );
END $$;
