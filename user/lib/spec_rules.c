// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/spec_rules.h"

#include <string.h>

#include "util/cleanup.h"

struct rule {
	mw_spec_place from;
	const char *key;
	mw_spec_place to;
};

#define MAP(place)	  (MW_SPEC_MAP | MW_SPEC_##place)
#define EXTENSIBLE(place) (MW_SPEC_MAP_EXTENSIBLE | MW_SPEC_##place)

/* By place. A key that is missing here leads to data. */
static const struct rule rules[] = {
	{MW_SPEC_ROOT, "info", MW_SPEC_INFO},
	{MW_SPEC_ROOT, "servers", MW_SPEC_SERVER},
	{MW_SPEC_ROOT, "paths", EXTENSIBLE(PATH_ITEM)},
	{MW_SPEC_ROOT, "webhooks", MAP(PATH_ITEM)},
	{MW_SPEC_ROOT, "components", MW_SPEC_COMPONENTS},
	{MW_SPEC_ROOT, "tags", MW_SPEC_TAG},
	{MW_SPEC_ROOT, "externalDocs", MW_SPEC_METADATA},
	{MW_SPEC_ROOT, "definitions", MAP(SCHEMA)},
	{MW_SPEC_ROOT, "parameters", MAP(PARAMETER)},
	{MW_SPEC_ROOT, "responses", MAP(RESPONSE)},
	{MW_SPEC_ROOT, "securityDefinitions", MAP(SECURITY_SCHEME)},

	{MW_SPEC_INFO, "description", MW_SPEC_TEXT},
	{MW_SPEC_INFO, "summary", MW_SPEC_TEXT},
	{MW_SPEC_INFO, "termsOfService", MW_SPEC_METADATA},
	{MW_SPEC_INFO, "contact", MW_SPEC_METADATA},
	{MW_SPEC_INFO, "license", MW_SPEC_METADATA},

	{MW_SPEC_TAG, "description", MW_SPEC_TEXT},
	{MW_SPEC_TAG, "summary", MW_SPEC_TEXT},
	{MW_SPEC_TAG, "externalDocs", MW_SPEC_METADATA},

	{MW_SPEC_SERVER, "description", MW_SPEC_TEXT},
	{MW_SPEC_SERVER, "variables", MAP(SERVER_VARIABLE)},
	{MW_SPEC_SERVER_VARIABLE, "description", MW_SPEC_TEXT},

	{MW_SPEC_PATH_ITEM, "$ref", MW_SPEC_REFERENCE},
	{MW_SPEC_PATH_ITEM, "summary", MW_SPEC_TEXT},
	{MW_SPEC_PATH_ITEM, "description", MW_SPEC_TEXT},
	{MW_SPEC_PATH_ITEM, "get", MW_SPEC_OPERATION},
	{MW_SPEC_PATH_ITEM, "put", MW_SPEC_OPERATION},
	{MW_SPEC_PATH_ITEM, "post", MW_SPEC_OPERATION},
	{MW_SPEC_PATH_ITEM, "delete", MW_SPEC_OPERATION},
	{MW_SPEC_PATH_ITEM, "options", MW_SPEC_OPERATION},
	{MW_SPEC_PATH_ITEM, "head", MW_SPEC_OPERATION},
	{MW_SPEC_PATH_ITEM, "patch", MW_SPEC_OPERATION},
	{MW_SPEC_PATH_ITEM, "trace", MW_SPEC_OPERATION},
	{MW_SPEC_PATH_ITEM, "query", MW_SPEC_OPERATION},
	{MW_SPEC_PATH_ITEM, "additionalOperations", MAP(OPERATION)},
	{MW_SPEC_PATH_ITEM, "servers", MW_SPEC_SERVER},
	{MW_SPEC_PATH_ITEM, "parameters", MW_SPEC_PARAMETER},

	{MW_SPEC_OPERATION, "summary", MW_SPEC_TEXT},
	{MW_SPEC_OPERATION, "description", MW_SPEC_TEXT},
	{MW_SPEC_OPERATION, "externalDocs", MW_SPEC_METADATA},
	{MW_SPEC_OPERATION, "parameters", MW_SPEC_PARAMETER},
	{MW_SPEC_OPERATION, "requestBody", MW_SPEC_REQUEST_BODY},
	{MW_SPEC_OPERATION, "responses", EXTENSIBLE(RESPONSE)},
	/* A map of callbacks, each a map of expressions: mw_spec_at_key() has the second step. */
	{MW_SPEC_OPERATION, "callbacks", MAP(PLACE_MAX)},
	{MW_SPEC_OPERATION, "servers", MW_SPEC_SERVER},

	{MW_SPEC_PARAMETER, "$ref", MW_SPEC_REFERENCE},
	{MW_SPEC_PARAMETER, "description", MW_SPEC_TEXT},
	{MW_SPEC_PARAMETER, "summary", MW_SPEC_TEXT},
	{MW_SPEC_PARAMETER, "example", MW_SPEC_EXAMPLE},
	{MW_SPEC_PARAMETER, "examples", MW_SPEC_EXAMPLE},
	{MW_SPEC_PARAMETER, "schema", MW_SPEC_SCHEMA},
	{MW_SPEC_PARAMETER, "items", MW_SPEC_SCHEMA},
	{MW_SPEC_PARAMETER, "content", MAP(MEDIA_TYPE)},

	{MW_SPEC_REQUEST_BODY, "$ref", MW_SPEC_REFERENCE},
	{MW_SPEC_REQUEST_BODY, "description", MW_SPEC_TEXT},
	{MW_SPEC_REQUEST_BODY, "summary", MW_SPEC_TEXT},
	{MW_SPEC_REQUEST_BODY, "content", MAP(MEDIA_TYPE)},

	{MW_SPEC_MEDIA_TYPE, "$ref", MW_SPEC_REFERENCE},
	{MW_SPEC_MEDIA_TYPE, "schema", MW_SPEC_SCHEMA},
	{MW_SPEC_MEDIA_TYPE, "itemSchema", MW_SPEC_SCHEMA},
	{MW_SPEC_MEDIA_TYPE, "example", MW_SPEC_EXAMPLE},
	{MW_SPEC_MEDIA_TYPE, "examples", MW_SPEC_EXAMPLE},
	{MW_SPEC_MEDIA_TYPE, "encoding", MAP(ENCODING)},
	{MW_SPEC_MEDIA_TYPE, "prefixEncoding", MW_SPEC_ENCODING},
	{MW_SPEC_MEDIA_TYPE, "itemEncoding", MW_SPEC_ENCODING},
	{MW_SPEC_ENCODING, "headers", MAP(PARAMETER)},
	{MW_SPEC_ENCODING, "encoding", MAP(ENCODING)},

	{MW_SPEC_RESPONSE, "$ref", MW_SPEC_REFERENCE},
	{MW_SPEC_RESPONSE, "description", MW_SPEC_NEEDED_TEXT},
	{MW_SPEC_RESPONSE, "summary", MW_SPEC_TEXT},
	{MW_SPEC_RESPONSE, "headers", MAP(PARAMETER)},
	{MW_SPEC_RESPONSE, "content", MAP(MEDIA_TYPE)},
	{MW_SPEC_RESPONSE, "links", MAP(LINK)},
	{MW_SPEC_RESPONSE, "schema", MW_SPEC_SCHEMA},
	{MW_SPEC_RESPONSE, "examples", MW_SPEC_EXAMPLE},

	{MW_SPEC_LINK, "$ref", MW_SPEC_REFERENCE},
	{MW_SPEC_LINK, "operationRef", MW_SPEC_REFERENCE},
	{MW_SPEC_LINK, "description", MW_SPEC_TEXT},
	{MW_SPEC_LINK, "summary", MW_SPEC_TEXT},
	{MW_SPEC_LINK, "server", MW_SPEC_SERVER},

	{MW_SPEC_COMPONENTS, "schemas", MAP(SCHEMA)},
	{MW_SPEC_COMPONENTS, "responses", MAP(RESPONSE)},
	{MW_SPEC_COMPONENTS, "parameters", MAP(PARAMETER)},
	{MW_SPEC_COMPONENTS, "examples", MW_SPEC_EXAMPLE},
	{MW_SPEC_COMPONENTS, "requestBodies", MAP(REQUEST_BODY)},
	{MW_SPEC_COMPONENTS, "headers", MAP(PARAMETER)},
	{MW_SPEC_COMPONENTS, "securitySchemes", MAP(SECURITY_SCHEME)},
	{MW_SPEC_COMPONENTS, "links", MAP(LINK)},
	{MW_SPEC_COMPONENTS, "callbacks", MAP(PLACE_MAX)},
	{MW_SPEC_COMPONENTS, "pathItems", MAP(PATH_ITEM)},
	{MW_SPEC_COMPONENTS, "mediaTypes", MAP(MEDIA_TYPE)},

	{MW_SPEC_SECURITY_SCHEME, "$ref", MW_SPEC_REFERENCE},
	{MW_SPEC_SECURITY_SCHEME, "description", MW_SPEC_TEXT},
	{MW_SPEC_SECURITY_SCHEME, "summary", MW_SPEC_TEXT},
	{MW_SPEC_SECURITY_SCHEME, "flows", EXTENSIBLE(FLOW)},
	{MW_SPEC_SECURITY_SCHEME, "scopes", MAP(NEEDED_TEXT)},
	{MW_SPEC_FLOW, "scopes", MAP(NEEDED_TEXT)},

	/* Those that are met most come first. */
	{MW_SPEC_SCHEMA, "description", MW_SPEC_TEXT},
	{MW_SPEC_SCHEMA, "properties", MAP(SCHEMA)},
	{MW_SPEC_SCHEMA, "items", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "$ref", MW_SPEC_REFERENCE},
	{MW_SPEC_SCHEMA, "$dynamicRef", MW_SPEC_REFERENCE},
	{MW_SPEC_SCHEMA, "example", MW_SPEC_EXAMPLE},
	{MW_SPEC_SCHEMA, "examples", MW_SPEC_EXAMPLE},
	{MW_SPEC_SCHEMA, "externalDocs", MW_SPEC_METADATA},
	{MW_SPEC_SCHEMA, "$comment", MW_SPEC_METADATA},
	{MW_SPEC_SCHEMA, "patternProperties", MAP(SCHEMA)},
	{MW_SPEC_SCHEMA, "additionalProperties", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "allOf", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "anyOf", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "oneOf", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "not", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "if", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "then", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "else", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "contains", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "propertyNames", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "prefixItems", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "additionalItems", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "unevaluatedItems", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "unevaluatedProperties", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "contentSchema", MW_SPEC_SCHEMA},
	{MW_SPEC_SCHEMA, "dependentSchemas", MAP(SCHEMA)},
	{MW_SPEC_SCHEMA, "dependencies", MAP(SCHEMA)},
	{MW_SPEC_SCHEMA, "$defs", MAP(SCHEMA)},
	{MW_SPEC_SCHEMA, "definitions", MAP(SCHEMA)},
};

static bool extension(const char *key, size_t len)
{
	return len >= 2 && key[0] == 'x' && key[1] == '-';
}

static mw_spec_place in_map(mw_spec_place place, const char *key, size_t len)
{
	mw_spec_place to = place & ~MW_SPEC_MAP_BITS;

	if ((place & MW_SPEC_MAP_BITS) == MW_SPEC_MAP_EXTENSIBLE && extension(key, len))
		return MW_SPEC_EXTENSION;
	return to == MW_SPEC_PLACE_MAX ? EXTENSIBLE(PATH_ITEM) : to;
}

mw_spec_place mw_spec_at_key(mw_spec_place place, const char *key, size_t len)
{
	if (place & MW_SPEC_MAP_BITS)
		return in_map(place, key, len);
	if (place < MW_SPEC_ROOT)
		return MW_SPEC_DATA;
	if (extension(key, len))
		return MW_SPEC_EXTENSION;
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		if (rules[i].from == place && strlen(rules[i].key) == len && memcmp(rules[i].key, key, len) == 0)
			return rules[i].to;
	return MW_SPEC_DATA;
}

mw_spec_place mw_spec_at_element(mw_spec_place place)
{
	return place & MW_SPEC_MAP_BITS || place < MW_SPEC_ROOT ? MW_SPEC_DATA : place;
}
