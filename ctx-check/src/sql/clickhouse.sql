-- What ctx-check finds, where the spans are: the tables of the Collector's ClickHouse exporter.
-- Rules that need the order of a path, logs or causes are left to the command: run it on the traces that this finds.
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
                OR match(attributes['http.target'], {exempt}) AS is_exempt
        FROM {table}
        WHERE {where}
    ),
    children AS
    (
        SELECT
            child.trace AS trace,
            child.parent AS parent,
            anyIf(child.service, child.kind IN ('SERVER', 'CONSUMER')) AS entry,
            anyIf(child.service, child.service != above.service) AS other,
            if(entry != '', entry, other) AS reached
        FROM spans AS child
        INNER JOIN spans AS above ON child.trace = above.trace AND child.parent = above.id
        GROUP BY trace, parent
    ),
    linked AS
    (
        SELECT DISTINCT Links.TraceId[1] AS trace, Links.SpanId[1] AS id, ServiceName AS service
        FROM {table}
        WHERE notEmpty(Links.TraceId) AND {where}
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
            multiIf(
                span.kind = 'CLIENT', below.reached,
                below.entry != '', below.entry,
                link.service
            ) AS reached
        FROM spans AS span
        LEFT JOIN children AS below ON span.trace = below.trace AND span.id = below.parent
        LEFT JOIN linked AS link ON span.trace = link.trace AND span.id = link.id
        WHERE (span.kind = 'PRODUCER' AND NOT span.is_error)
            OR (span.kind = 'CLIENT'
                AND span.attributes['db.system'] = '' AND span.attributes['db.system.name'] = ''
                AND span.attributes['messaging.system'] = '' AND NOT span.is_exempt
                -- Calls that failed on their way need no server.
                AND (below.reached != ''
                    OR NOT (span.http IN ('502', '503', '504') OR span.grpc IN ('1', '4', '14')
                        OR (span.http = '' AND span.grpc = '' AND span.is_error))))
    ),
    learned AS
    (
        SELECT peer, argMax(reached, (calls, reached)) AS service
        FROM (SELECT peer, reached, count() AS calls FROM calls WHERE reached != '' AND NOT is_message GROUP BY peer, reached)
        GROUP BY peer
    ),
    named AS
    (
        SELECT DISTINCT peer, service
        FROM (SELECT DISTINCT peer, arrayJoin([peer, splitByChar(':', peer)[1], splitByChar('.', splitByChar(':', peer)[1])[1]]) AS label FROM calls WHERE peer != '') AS peers
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
    )
SELECT rule_id, service, edge_to, via, field, count, trace_id
FROM
(
    SELECT
        'ctx/broken-edge' AS rule_id,
        calls.service AS service,
        if(calls.is_message, anew.service, if(learned.service != '', learned.service, named.service)) AS edge_to,
        calls.peer AS via,
        '' AS field,
        count() AS count,
        argMin(calls.trace, calls.start) AS trace_id
    FROM calls
    LEFT JOIN learned ON calls.peer = learned.peer
    LEFT JOIN named ON calls.peer = named.peer
    LEFT JOIN anew ON calls.peer = anew.peer
    WHERE calls.reached = ''
    GROUP BY service, edge_to, via
    HAVING edge_to != ''

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
    SELECT 'ctx/several-roots', '', '', '', '', sum(roots - 1), any(trace)
    FROM (SELECT trace, countIf(parent = '') AS roots FROM spans GROUP BY trace HAVING roots > 1)
    HAVING count() > 0
)
ORDER BY rule_id, service, edge_to, via, field
