import type { components } from './api.gen'

/** The things of /api, by the names that its OpenAPI document gives them. */
type Schemas = components['schemas']

export type Me = Schemas['Me']
export type Provider = Schemas['Provider']
export type ProviderKind = Schemas['ProviderKind']
export type ProviderField = Schemas['ProviderField']
export type TestResult = Schemas['TestResult']
export type Endpoint = Schemas['Endpoint']
export type Key = Schemas['Key']
export type KeyLimits = Schemas['KeyLimits']
export type KeyUsed = Schemas['KeyUsed']
export type CreateKey = Schemas['CreateKey']
export type RequestRecord = Schemas['RequestRecord']
export type Attempt = Schemas['Attempt']
export type StatsBucket = Schemas['StatsBucket']
export type Alert = Schemas['Alert']
export type Model = Schemas['Model']
export type Status = Schemas['Status']
