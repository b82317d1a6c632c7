-- What ctx-check finds, where the spans are: the tables of the Collector's ClickHouse exporter.
-- Rules about log records and values, and causes, are left to the command: run it on the traces that this finds.
WITH
    spans AS
    (
        -- The same delivery twice is one span.
        SELECT DISTINCT
            TraceId AS trace,
            SpanId AS id,
            ParentSpanId AS parent,
            ServiceName AS service,
            replaceOne(upper(SpanKind), 'SPAN_KIND_', '') AS kind,
            Timestamp AS start,
            endsWith(upper(StatusCode), 'ERROR') AS is_error,
            SpanAttributes AS attributes,
            ResourceAttributes AS resource,
            Duration AS length,
            SpanName AS name,
            notEmpty(Links.TraceId) AS has_links,
            if(attributes[{tenant}] != '', attributes[{tenant}], resource[{tenant}]) AS tenant,
            arrayFilter(field -> attributes[field] = '' AND resource[field] = '', {require}) AS missing,
            -- Old names and new ones.
            coalesce(nullIf(attributes['http.response.status_code'], ''), attributes['http.status_code']) AS http,
            coalesce(nullIf(attributes['rpc.response.status_code'], ''), attributes['rpc.grpc.status_code']) AS grpc,
            coalesce(nullIf(attributes['server.address'], ''), nullIf(attributes['net.peer.name'], ''), attributes['http.host']) AS host,
            coalesce(nullIf(attributes['server.port'], ''), attributes['net.peer.port']) AS port,
            coalesce(nullIf(attributes['messaging.destination.name'], ''), attributes['messaging.destination']) AS queue,
            multiIf(
                kind IN ('PRODUCER', 'CONSUMER'), queue,
                attributes['peer.service'] != '', attributes['peer.service'],
                attributes['service.peer.name'] != '', attributes['service.peer.name'],
                host != '' AND port != '', concat(host, ':', port),
                host != '', host,
                extract(coalesce(nullIf(attributes['url.full'], ''), attributes['http.url']), '://(?:[^/@]*@)?([^/?#]+)')
            ) AS peer,
            match(SpanName, {exempt}) OR match(attributes['http.route'], {exempt}) OR match(attributes['url.path'], {exempt})
                OR match(attributes['http.target'], {exempt}) AS is_exempt,
            kind = 'CLIENT' AND attributes['db.system'] = '' AND attributes['db.system.name'] = '' AND attributes['messaging.system'] = '' AS is_call
        FROM {table}
        WHERE {where}
    ),
    pairs AS
    (
        SELECT
            child.trace AS trace,
            child.id AS id,
            child.service AS service,
            child.kind AS kind,
            child.is_call AS is_call,
            child.start AS start,
            child.length AS length,
            child.tenant AS tenant,
            above.id AS parent,
            above.service AS parent_service,
            above.kind AS parent_kind,
            above.is_call AS parent_is_call,
            above.peer AS parent_peer,
            above.start AS parent_start,
            above.length AS parent_length,
            above.tenant AS parent_tenant
        FROM spans AS child
        INNER JOIN spans AS above ON child.trace = above.trace AND child.parent = above.id
    ),
    children AS
    (
        SELECT
            trace,
            parent,
            any(parent_service) AS caller,
            any(parent_is_call) AS is_of_call,
            anyIf(service, kind IN ('SERVER', 'CONSUMER')) AS entry,
            anyIf(service, service != parent_service) AS other,
            anyIf(service, kind IN ('SERVER', 'CONSUMER') AND service != parent_service) AS entry_elsewhere,
            if(entry != '', entry, other) AS reached,
            -- Two client spans, one around the other, are one call.
            countIf(is_call AND service = parent_service) AS inner_calls
        FROM pairs
        GROUP BY trace, parent
    ),
    inner_calls AS
    (
        SELECT pairs.trace AS trace, pairs.parent AS parent, max(below.entry_elsewhere) AS reached
        FROM pairs
        INNER JOIN children AS below ON pairs.trace = below.trace AND pairs.id = below.parent
        WHERE pairs.is_call AND pairs.service = pairs.parent_service AND below.entry_elsewhere != ''
        GROUP BY trace, parent
    ),
    links AS
    (
        SELECT Links.TraceId[1] AS trace, Links.SpanId[1] AS id, any(ServiceName) AS service,
            any(if(SpanAttributes[{tenant}] != '', SpanAttributes[{tenant}], ResourceAttributes[{tenant}])) AS tenant,
            any(Timestamp) AS start, any(TraceId) AS from_trace
        FROM {table}
        -- What is linked to a message and sends it does not receive it.
        WHERE notEmpty(Links.TraceId) AND replaceOne(upper(SpanKind), 'SPAN_KIND_', '') NOT IN ('PRODUCER', 'CLIENT') AND {where}
        GROUP BY trace, id
    ),
    calls AS
    (
        SELECT
            span.trace AS trace,
            span.id AS id,
            span.service AS service,
            span.peer AS peer,
            span.start AS start,
            span.kind = 'PRODUCER' AS is_message,
            below.entry AS child,
            link.service AS linked,
            multiIf(
                span.kind = 'CLIENT', below.reached,
                below.entry != '', below.entry,
                link.service
            ) AS reached,
            multiIf(
                is_message, '',
                inner.reached != '', inner.reached,
                outer.is_of_call AND outer.caller = span.service AND outer.inner_calls = 1, outer.entry_elsewhere,
                ''
            ) AS nested
        FROM spans AS span
        LEFT JOIN children AS below ON span.trace = below.trace AND span.id = below.parent
        LEFT JOIN links AS link ON span.trace = link.trace AND span.id = link.id
        LEFT JOIN inner_calls AS inner ON span.trace = inner.trace AND span.id = inner.parent
        LEFT JOIN children AS outer ON span.trace = outer.trace AND span.parent = outer.parent
        WHERE (span.kind = 'PRODUCER' AND NOT span.is_error)
            OR (span.is_call AND NOT span.is_exempt
                AND (below.reached != ''
                    -- The call inside of it is the one that is judged.
                    OR (inner.reached != '' OR below.inner_calls = 0)
                    -- Calls that failed on their way need no server.
                    AND NOT (span.http IN ('502', '503', '504') OR span.grpc IN ('1', '4', '14')
                        OR (span.http = '' AND span.grpc = '' AND span.is_error))))
    ),
    learned AS
    (
        SELECT peer, argMax(service, (calls, service)) AS service
        FROM
        (
            SELECT parent_peer AS peer, service, count() AS calls
            FROM pairs
            WHERE parent_is_call AND kind IN ('SERVER', 'CONSUMER')
            GROUP BY peer, service
        )
        GROUP BY peer
    ),
    named AS
    (
        SELECT DISTINCT peer, service
        FROM (SELECT DISTINCT peer, arrayJoin([peer, splitByChar(':', peer)[1], splitByChar('.', splitByChar(':', peer)[1])[1]]) AS label FROM spans WHERE peer != '') AS peers
        INNER JOIN (SELECT DISTINCT service FROM spans) AS services ON peers.label = services.service
    ),
    -- Consumers that start traces of their own without a link.
    anew AS
    (
        SELECT peer, argMax(service, (traces, service)) AS service
        FROM
        (
            SELECT peer, service, count() AS traces
            FROM spans
            WHERE kind = 'CONSUMER' AND parent = '' AND NOT has_links AND attributes['messaging.operation.type'] NOT IN ('receive', 'poll', 'settle')
            GROUP BY peer, service
        )
        GROUP BY peer
    ),
    judged AS
    (
        SELECT
            calls.trace AS trace,
            calls.service AS service,
            calls.peer AS peer,
            calls.start AS start,
            calls.reached AS reached,
            calls.is_message AS is_message,
            calls.child AS child,
            calls.linked AS linked,
            if(learned.service != '', learned.service, named.service) AS target,
            anew.service AS starts_anew,
            calls.reached = '' AND (calls.nested = '' OR target NOT IN ('', calls.nested)) AS is_open,
            -- Messages of queues whose consumers are there.
            peer IN (SELECT peer FROM spans WHERE kind = 'CONSUMER'
                AND attributes['messaging.operation.type'] NOT IN ('receive', 'poll', 'settle')) AS has_consumers
        FROM calls
        LEFT JOIN learned ON calls.peer = learned.peer
        LEFT JOIN named ON calls.peer = named.peer
        LEFT JOIN anew ON calls.peer = anew.peer
    ),
    skewed AS
    (
        SELECT *, parent_start + toIntervalNanosecond(parent_length) AS parent_end, start + toIntervalNanosecond(length) AS end
        FROM pairs
        WHERE toUnixTimestamp64Nano(start) != 0 AND toUnixTimestamp64Nano(parent_start) != 0 AND toInt64(length) >= 0
    )
SELECT rule_id, service, edge_to, via, field, sum(count) AS count, any(trace_id) AS trace_id
FROM
(
    SELECT
        multiIf(
            is_open AND if(is_message, starts_anew, target) != '', 'ctx/broken-edge',
            is_open AND is_message AND has_consumers, 'ctx/unconsumed',
            is_message AND match(peer, {parent_queues}) AND child = '' AND linked != '', 'ctx/queue-mode',
            is_message AND match(peer, {link_queues}) AND child != '' AND linked = '', 'ctx/queue-mode',
            ''
        ) AS rule_id,
        service,
        multiIf(rule_id = 'ctx/queue-mode', reached, rule_id = 'ctx/unconsumed', '', is_message, starts_anew, target) AS edge_to,
        peer AS via,
        '' AS field,
        count() AS count,
        argMin(trace, start) AS trace_id
    FROM judged
    WHERE rule_id != ''
    GROUP BY rule_id, service, edge_to, via

    UNION ALL
    -- The tenant of a span and of its parent; what changes back to the tenant of the root is the end of the same fault.
    SELECT 'ctx/tenant-change', pairs.parent_service, pairs.service, '', {tenant}, count(), argMin(pairs.trace, pairs.start)
    FROM pairs
    LEFT JOIN (SELECT trace, argMin(tenant, start) AS tenant FROM spans WHERE parent = '' GROUP BY trace) AS root ON pairs.trace = root.trace
    WHERE pairs.tenant != '' AND pairs.parent_tenant != '' AND pairs.tenant != pairs.parent_tenant AND pairs.tenant != root.tenant
    GROUP BY pairs.parent_service, pairs.service

    UNION ALL
    -- And of what is linked to it.
    SELECT 'ctx/tenant-change', span.service, link.service, '', {tenant}, count(), argMin(link.from_trace, link.start)
    FROM links AS link
    INNER JOIN spans AS span ON link.trace = span.trace AND link.id = span.id
    WHERE link.tenant != '' AND span.tenant != '' AND link.tenant != span.tenant AND NOT span.is_call
    GROUP BY span.service, link.service

    UNION ALL
    -- A span with the id of another one; Zipkin's client and server may share it.
    SELECT 'ctx/invalid-tree', '', '', '', '', toUInt64(sum(different - 1)), any(trace)
    FROM (
        SELECT trace, id, count() AS different FROM spans GROUP BY trace, id
        HAVING different > 1 AND NOT (different = 2 AND uniqExact(service) = 2 AND arraySort(groupArray(kind)) = ['CLIENT', 'SERVER'])
    )
    HAVING count() > 0

    UNION ALL
    -- The exporter writes a negative duration as a number near the largest one.
    SELECT 'ctx/impossible-time', service, '', '', '', count(), argMin(trace, start)
    FROM spans
    WHERE toInt64(length) < 0
    GROUP BY service

    UNION ALL
    SELECT
        if(service = parent_service, 'ctx/impossible-time', 'ctx/clock-skew') AS rule,
        if(service = parent_service, service, parent_service) AS first,
        if(service = parent_service, '', service) AS second,
        '', '', count(), argMin(trace, start)
    FROM skewed
    WHERE start + toIntervalNanosecond({tolerance}) < parent_start
        -- A server that goes on after its client gave up is excused.
        OR (service != parent_service AND parent_kind = 'CLIENT' AND kind = 'SERVER'
            AND end > parent_end + toIntervalNanosecond({tolerance}) AND length <= parent_length + {tolerance})
    GROUP BY rule, first, second

    UNION ALL
    SELECT 'ctx/orphan', span.service, '', '', '', count(), argMin(span.trace, span.start)
    FROM spans AS span
    LEFT JOIN spans AS above ON span.trace = above.trace AND span.parent = above.id
    WHERE span.parent != '' AND above.id = ''
    GROUP BY span.service

    UNION ALL
    SELECT 'ctx/mixed-tenants', '', '', '', {tenant}, count(), any(trace)
    FROM (SELECT trace FROM spans WHERE tenant != '' GROUP BY trace HAVING uniqExact(tenant) > 1)
    HAVING count() > 0

    UNION ALL
    SELECT 'ctx/missing-field', service, '', '', lacking, count(), argMin(trace, start)
    FROM spans
    ARRAY JOIN missing AS lacking
    WHERE NOT is_exempt
        AND trace NOT IN (SELECT trace FROM spans WHERE parent = '' AND is_exempt)
        AND NOT (attributes['messaging.system'] != '' AND attributes['messaging.operation.type'] IN ('receive', 'poll', 'settle'))
    GROUP BY service, lacking

    UNION ALL
    SELECT 'ctx/several-roots', '', '', '', '', toUInt64(sum(roots - 1)), any(trace)
    FROM (SELECT trace, countIf(parent = '') AS roots FROM spans GROUP BY trace HAVING roots > 1)
    HAVING count() > 0
)
GROUP BY rule_id, service, edge_to, via, field
ORDER BY rule_id, service, edge_to, via, field
