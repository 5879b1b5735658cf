metadata description = 'The identities that sign in instead of keys: one for the app, one for Web PubSub when it calls the app.'

@description('Name of the identity of the function app; also the name of its PostgreSQL role.')
@maxLength(63)
param appIdentityName string

@description('Name of the identity that Web PubSub shows to the app with every upstream event.')
param upstreamIdentityName string

param location string
param tags object

resource appIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: appIdentityName
  location: location
  tags: tags
}

// User-assigned, because only then is its client id known here: the app accepts upstream events of this client only.
resource upstreamIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: upstreamIdentityName
  location: location
  tags: tags
}

output appId string = appIdentity.id
output appClientId string = appIdentity.properties.clientId
output appPrincipalId string = appIdentity.properties.principalId
output upstreamId string = upstreamIdentity.id
output upstreamClientId string = upstreamIdentity.properties.clientId
